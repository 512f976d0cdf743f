import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { transform } from '@swc/core';

export interface BuiltPrograms {
  /** The JavaScript of `tests/support/crash/programs/<name>.ts`. */
  program(name: string): string;
  remove(): Promise<void>;
}

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const SOURCES = ['src/agents', 'src/shared', 'tests/support/crash'];
const IMPORT = /((?:from|import\()\s*'\.{1,2}\/[^']+)\.ts'/g;

/** Compiles the crashing daemons, and what they are made of, to a folder of their own: plain Node runs them. */
export async function buildPrograms(): Promise<BuiltPrograms> {
  const folder = await mkdtemp(join(tmpdir(), 'ma-crash-build-'));
  await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  await writeFile(join(folder, 'package.json'), await readFile(join(ROOT, 'package.json')));
  for (const source of SOURCES) {
    const names = await readdir(join(ROOT, source), { recursive: true });
    await Promise.all(names.filter((name) => /(?<!\.d)\.ts$/.test(name)).map((name) => compile(folder, join(source, name))));
  }
  return {
    program: (name) => join(folder, 'tests/support/crash/programs', `${name}.js`),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

async function compile(folder: string, name: string): Promise<void> {
  const text = (await readFile(join(ROOT, name), 'utf8')).replaceAll(IMPORT, "$1.js'").replace(/^[^]*$/, (t) => patched(name, t));
  const { code } = await transform(text, {
    swcrc: false,
    module: { type: 'es6' },
    jsc: { target: 'es2022', parser: { syntax: 'typescript' }, transform: { verbatimModuleSyntax: true } },
  });
  const target = join(folder, name.replace(/\.ts$/, '.js'));
  await mkdir(dirname(target), { recursive: true });
  await writeFile(target, code);
}

function patched(name: string, text: string): string {
  let out = text;
  const swap = (file: string, from: string, to: string) => {
    if (!name.endsWith(file)) return;
    if (!out.includes(from)) throw new Error(`no ${from} in ${name}`);
    out = out.replace(from, () => to);
  };
  swap('bundle-store.ts', "throw new TerminalError('bundle_refused', `The bundle ${ref.name} is not what was announced.`)", "throw new RetryableError('bundle_missing', 'not what was announced')");
  swap('coder/desk.ts', 'const tree = (await leftTree(context, run, cache)) ?? merged?.tree;', 'const left = await leftTree(context, run, cache); const tree = merged?.tree;');
  swap('coder/desk.ts', '...(tree === undefined ? {} : { tree }),', '...(tree === undefined ? {} : { tree }), ...(left === undefined ? {} : { left }),');
  swap('git/workspace.ts', 'if (!reused || !(await tryCheckOut(git, start))) await checkOutAnew(directory, git, start);', 'const content = request.left ?? start; if (!reused || !(await tryCheckOut(git, content))) await checkOutAnew(directory, git, content);');
  swap('local/local-forge.ts', `publishBranch: async (repository, head, headCommit, expected) =>
      publish(await localOf(repository), mirrorOf(repository), head, headCommit, expected),`, `publishBranch: async (repository, head, headCommit, expected) => {
      const local = await localOf(repository);
      await publish(local, mirrorOf(repository), head, headCommit, expected);
      const jobId = jobOfBranch(head);
      const merged = jobId === null ? null : (await storeOf(repository).read(jobId))?.merged;
      if (merged) await updateRefs(local.git, [{ ref: 'refs/heads/' + head, from: headCommit, to: null }], 'multi-agent: merged already', merged.at);
    },`);
  swap('local/local-forge.ts', `if (mergeCommit === merge.mergeCommit) await keepBase`, `const local2 = await localOf(repository);
    if ((await readBranches(local2.git, [merge.head])).get(merge.head) === merge.headCommit) await updateRefs(local2.git, [{ ref: 'refs/heads/' + merge.head, from: merge.headCommit, to: null }], 'multi-agent: merged', merge.at);
    if (mergeCommit === merge.mergeCommit) await keepBase`);
  swap('local/local-forge.ts', `import { publish } from './publish.js';`, `import { publish } from './publish.js';\nimport { updateRefs } from './update-refs.js';`);
  swap('base/task-attempt.ts', `return { type: end.type === 'failed' ? 'failed' : 'processed', ack: true };`, `const ack = (await held.isStillOurs()) || (await held.takenBy()) !== 'later_attempt';
  return { type: end.type === 'failed' ? 'failed' : 'processed', ack };`);
  return out;
}

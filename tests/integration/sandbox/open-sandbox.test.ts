import { chmod, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type ProcessResult, runProcess } from '../../../src/shared/process/run-process.ts';
import { openSandbox } from '../../../src/shared/process/sandbox/open-sandbox.ts';
import type { SandboxPlace } from '../../../src/shared/process/sandbox/sandbox.ts';

let folder: string;
let home: string;
let workspace: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ma-sandbox-'));
  home = join(folder, 'home');
  workspace = join(home, 'worktrees', 'one', 'tree');
  await mkdir(workspace, { recursive: true, mode: 0o700 });
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function runInside(argv: readonly [string, ...string[]], place: Partial<SandboxPlace> = {}): Promise<ProcessResult> {
  const sandbox = await openSandbox({ home, unsafe: false });
  const { wrap } = await sandbox.enter({ writable: [workspace], ...place });
  return runProcess({ argv, cwd: workspace, mark: 'coder-1:1', wallMs: 20_000, wrap });
}

async function script(path: string, text: string): Promise<string> {
  await mkdir(join(path, '..'), { recursive: true });
  await writeFile(path, text);
  await chmod(path, 0o755);
  return path;
}

describe('a machine without a sandbox', () => {
  it('runs nothing, and says what to do', async () => {
    const sandbox = await openSandbox({ home, unsafe: false, searchPath: folder });

    expect(sandbox).toMatchObject({ isolates: false, description: 'none: bubblewrap is not installed' });
    expect(sandbox.refusal).toContain('apt-get install bubblewrap');
    await expect(sandbox.enter({ writable: [] })).rejects.toMatchObject({ code: 'no_sandbox', message: sandbox.refusal });
  });

  it('tells why bubblewrap, which is there, makes none', async () => {
    await script(join(folder, 'bwrap'), '#!/bin/sh\necho "bwrap: No permissions to create new namespace" >&2\nexit 1\n');

    const sandbox = await openSandbox({ home, unsafe: false, searchPath: folder });

    expect(sandbox.refusal).toContain("can't make a sandbox here (bwrap: No permissions to create new namespace)");
  });

  it('runs everything as it is where the operator says so', async () => {
    const sandbox = await openSandbox({ home, unsafe: true, searchPath: folder });

    expect(sandbox).toMatchObject({ isolates: false });
    expect(sandbox.refusal).toBeUndefined();
    expect(sandbox.description).toContain('MULTI_AGENT_UNSAFE_NO_SANDBOX=1');
  });
});

describe('what a sandbox shows', () => {
  it('is the workspace, which is written, and the programs of the system', async () => {
    const { stdout, stderr } = await runInside(['sh', '-c', 'echo done > file; ls /; id -un; node --version; git --version']);

    expect(stderr).toBe('');
    expect(stdout.split('\n')).toEqual(expect.arrayContaining(['usr', 'tmp', 'agent', process.version]));
    expect(stdout).not.toMatch(/^(root|home\/[^a]|var|srv|opt|mnt|boot|sys|run)$/m);
    expect(await readFile(join(workspace, 'file'), 'utf8')).toBe('done\n');
  });

  it('has the executable of the operator, with the package it is part of, and every absolute path in the command line', async () => {
    const tool = join(folder, 'tools', 'package');
    await script(join(tool, 'package.json'), '{ "type": "module" }');
    await script(join(tool, 'lib', 'words.js'), 'export const words = "from beside";');
    const program = await script(
      join(tool, 'bin', 'run.mjs'),
      '#!/usr/bin/env node\nimport { words } from "../lib/words.js"; console.log(words, process.argv[2]);',
    );
    const prompt = await script(join(folder, 'prompts', 'one.txt'), 'x');
    const other = await script(join(folder, 'prompts', 'two.txt'), 'x');

    const shown = await runInside([program, prompt], { operatorWords: [program, prompt] });
    const files = await runInside(['cat', prompt], { operatorWords: ['cat', prompt] });
    const hidden = await runInside(['cat', other], { operatorWords: ['cat', prompt] });

    expect(shown.stdout).toBe(`from beside ${prompt}\n`);
    expect(files.exitCode).toBe(0);
    expect(hidden.exitCode).not.toBe(0);
  });

  it('is never a package around the home, nor for words out of a repository', async () => {
    await script(join(folder, 'package.json'), '{}');
    const seed = await script(join(home, 'run', 'operator.nk'), 'SECRET');
    const program = await script(join(folder, 'bin', 'run.sh'), `#!/bin/sh\ncat ${seed}`);

    const operators = await runInside([program], { operatorWords: [program] });
    const asked = await runInside(['cat', seed], { operatorWords: ['cat', seed] });
    const repositorys = await runInside(['cat', join(folder, 'package.json')]);

    expect([operators.stdout, asked.stdout, repositorys.stdout]).toEqual(['', '', '']);
    expect(operators.stderr).toContain('No such file');
  });

  it('ends with a missing program as if there were no sandbox', async () => {
    await expect(runInside(['no-such-program-anywhere'])).rejects.toMatchObject({ code: 'program_not_found' });
  });

  it('leaves its files to be read and cleaned by the daemon', async () => {
    await runInside(['sh', '-c', 'umask 077; mkdir -p a/b; echo x > a/b/c; chmod 000 a/b/c']);

    expect((await stat(join(workspace, 'a', 'b', 'c'))).size).toBe(2);
  });
});

describe('agents of root', () => {
  it('are a user each, to whom a workspace passes from one to the other', async () => {
    const runAs = async (agentId: string): Promise<ProcessResult> => {
      const { wrap } = await (await openSandbox({ home, agentId, unsafe: false })).enter({ writable: [workspace] });
      return runProcess({
        argv: ['sh', '-c', 'id -u; echo more >> file; mkdir -p a; echo more >> a/b'],
        cwd: workspace,
        mark: 'x:1',
        wrap,
      });
    };

    const [one, other, again] = [await runAs('coder-1'), await runAs('coder-2'), await runAs('coder-1')];

    expect([one.stderr, other.stderr, again.stderr]).toEqual(['', '', '']);
    expect(await readFile(join(workspace, 'a', 'b'), 'utf8')).toBe('more\nmore\nmore\n');
    expect(one.stdout).toBe(again.stdout);
    expect(one.stdout === other.stdout).toBe(process.getuid?.() !== 0);
  });
});

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { until } from '../../support/until.ts';

jest.setTimeout(120_000);

const DEMO = fileURLToPath(new URL('../../../scripts/demo.mjs', import.meta.url));

let base: ReturnType<typeof temporaryDirectory>;
const demos: Demo[] = [];
beforeEach(() => {
  base = temporaryDirectory('demo');
});
afterEach(async () => {
  for (const demo of demos.splice(0)) {
    demo.child.kill('SIGTERM');
    await demo.ended;
  }
  base.remove();
});

describe('npm run demo', () => {
  it('merges the feature after a review that asked for changes, and leaves nothing running', async () => {
    const demo = start();

    const code = await demo.ended;

    expect(demo.output()).toContain('NO MODEL IS ASKED');
    expect(code).toBe(0);
    const repository = repositoryOf(base.path);
    expect(git(repository, 'log', '--first-parent', '--format=%s')).toBe('Merge: Limit the length of a slug (#1)\nslug: titles for URLs');
    expect(git(repository, 'rev-list', '--parents', '--max-count=1', 'HEAD').split(' ')).toHaveLength(3);
    // Two rounds, the second of which took the flaw of the first away.
    expect(git(repository, 'rev-list', '--count', 'HEAD^..HEAD^2')).toBe('2');
    expect(sluggedOf(repository, 'HEAD^2~1')).toBe('one-');
    expect(sluggedOf(repository, 'HEAD')).toBe('one');
    expect(demo.output()).toContain('Round 1: REQUEST_CHANGES');
    expect(demo.output()).toContain('src/slug.js:13 error');
    expect(demo.output()).toContain('Round 2: APPROVE');
    expect(processesIn(base.path)).toEqual([]);
  });

  it('ends what a killed demo has left running, and takes everything down when it is interrupted', async () => {
    const killed = start();
    await until('a coder works', () => killed.output().includes('coder-1 works on the implementation'), 60_000);
    killed.child.kill('SIGKILL');
    await killed.ended;
    const [left = ''] = runsOf(base.path);
    expect(processesIn(left)).not.toEqual([]);

    const next = start();
    await until('a coder works', () => next.output().includes('coder-1 works on the implementation'), 60_000);

    await until('nothing of the killed one is left', () => processesIn(left).length === 0, 30_000);
    expect(runsOf(base.path)).not.toContain(left);
    next.child.kill('SIGINT');
    expect(await next.ended).toBe(130);
    expect(processesIn(base.path)).toEqual([]);
  });
});

interface Demo {
  readonly child: ChildProcess;
  readonly ended: Promise<number | null>;
  output(): string;
}

/** Runs the demo for real, in a folder of the test's own and with a home of its own. */
function start(): Demo {
  const env = { PATH: process.env['PATH'] ?? '', HOME: base.path };
  const child = spawn(process.execPath, [DEMO, '--dir', base.path], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const ended = once(child, 'exit').then(([code]) => code as number | null);
  const demo = { child, ended, output: () => output };
  demos.push(demo);
  return demo;
}

function runsOf(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => name.startsWith('run-'))
    .map((name) => join(folder, name));
}

function repositoryOf(folder: string): string {
  return join(runsOf(folder).at(0) ?? '', 'app');
}

function git(repository: string, ...args: string[]): string {
  return execFileSync('git', ['-C', repository, ...args], { encoding: 'utf8' }).trim();
}

/** What the library makes of a title that is cut between two words, in that version of it. */
function sluggedOf(repository: string, revision: string): string {
  const source = git(repository, 'show', `${revision}:src/slug.js`);
  const program = `${source}\nprocess.stdout.write(slug('one two', { maxLength: 4 }));`;
  return execFileSync(process.execPath, ['--input-type=module', '--eval', program], { encoding: 'utf8' });
}

/** The ids of processes that have the folder somewhere in their environment as their home, or PM2's. */
function processesIn(folder: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => belongsTo(pid, folder))
    .map(Number);
}

function belongsTo(pid: string, folder: string): boolean {
  try {
    if (/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))) return false;
    const variables = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
    return variables.some((variable) => /^(MULTI_AGENT_HOME|PM2_HOME)=/.test(variable) && variable.includes(`=${folder}/`));
  } catch {
    return false;
  }
}

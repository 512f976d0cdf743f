import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { hostFault } from '../../../src/shared/git/host-fault.ts';
import { makeDirectory } from './fixtures.ts';

// A process of its own that compiles what it imports, on a machine that others use too.
jest.setTimeout(60_000);

const SHARED = new URL('../../../src/shared/', import.meta.url).href;
/** Opens files until the process may open no more, and then does what writes to the disk. */
const PROGRAM = `
import { open } from 'node:fs/promises';
const [home] = process.argv.slice(1);
const [{ writeFact, readFact }, { writeEmptyCommit }, { pin }, { takeWorkspace }, { createGit }, { readPlainFile }] = await Promise.all(
  ['forge/local/facts.ts', 'git/objects.ts', 'git/refs.ts', 'git/workspace.ts', 'git/git.ts', 'git/plain-file.ts'].map((name) => import('${SHARED}' + name)),
);
const git = createGit({ gitDir: home });
const work = {
  writeFact: () => writeFact(home + '/facts/fact', {}, home + '/facts'),
  readFact: () => readFact(home + '/fact'),
  readPlainFile: () => readPlainFile('/dev/null'),
  writeObject: () => writeEmptyCommit(git, { message: 'x', at: 0 }, 40),
  pin: () => pin(git, 'job-01ARZ3NDEKTSV4RRFFQ69G5FAV', 1, '1'.repeat(40)),
  takeWorkspace: () => takeWorkspace({ home, repoKey: 'r', cacheGitDir: home, taskId: 't', attempt: 1, owner: {}, commit: '1'.repeat(40) }),
};
const held = [];
const fill = async () => { try { for (;;) held.push(await open('/dev/null')); } catch { /* full */ } };
const codes = {};
await fill();
for (const [name, run] of Object.entries(work)) {
  codes[name] = await run().then(() => 'done', (error) => error.constructor.name + ' ' + error.code);
}
await Promise.all(held.map((file) => file.close()));
console.log(JSON.stringify(codes));
`;

describe('a host that has no room', () => {
  let directory: { path: string; remove: () => Promise<void> };
  beforeEach(async () => {
    directory = await makeDirectory();
  });
  afterEach(() => directory.remove());

  it.each([
    ['ENOSPC', 'disk_full'],
    ['EDQUOT', 'disk_full'],
    ['EIO', 'disk_failed'],
    ['ENFILE', 'too_many_files'],
  ])('is something that passes: %s', (code, ours) => {
    expect(hostFault(Object.assign(new Error('x'), { code }))).toMatchObject({ name: 'RetryableError', code: ours, message: 'x' });
  });

  it('is told from what does not pass', () => {
    expect(hostFault(Object.assign(new Error('x'), { code: 'EACCES' }))).toBeUndefined();
    expect(hostFault(null)).toBeUndefined();
  });

  it('is named wherever something is written', async () => {
    const command = 'ulimit -n 100 && exec node --import tsx --input-type=module -e "$0" "$1"';
    const { stdout } = await promisify(execFile)('bash', ['-c', command, PROGRAM, directory.path], { cwd: path.resolve('.') });

    const busy = 'RetryableError too_many_files';
    expect(JSON.parse(stdout)).toEqual({
      writeFact: busy,
      readFact: busy,
      readPlainFile: busy,
      writeObject: busy,
      pin: busy,
      takeWorkspace: busy,
    });
  });
});

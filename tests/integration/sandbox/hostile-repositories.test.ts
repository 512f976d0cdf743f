import { execFile } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { openSandbox } from '../../../src/shared/process/sandbox/open-sandbox.ts';
import { makeRepository } from '../../support/in-process-system.ts';
import { type Bait, setBait } from '../../support/sandbox/bait.ts';
import { HOSTILE_GIT } from '../../support/sandbox/hostile-git.ts';
import type { HostileRepository } from '../../support/sandbox/hostile-repository.ts';
import { HOSTILE_TREES } from '../../support/sandbox/hostile-trees.ts';
import { inTurns } from '../../support/sandbox/in-turns.ts';
import { type RecordedHostile, recordHostile } from '../../support/sandbox/record-hostile.ts';

const MB = 1024 ** 2;
const HOSTILE: readonly HostileRepository[] = [...HOSTILE_GIT, ...HOSTILE_TREES];
const NAIVE = HOSTILE.filter(({ naively }) => naively !== undefined);

describe('a hostile change', () => {
  let bait: Bait;
  const outcomes = new Map<string, RecordedHostile>();

  beforeAll(async () => {
    bait = await setBait();
    const sandbox = await openSandbox({ home: '/nowhere', unsafe: false, limits: { fileBytes: 256 * MB } });
    await inTurns(HOSTILE, async (hostile) => {
      outcomes.set(hostile.name, await recordHostile(hostile, bait, sandbox));
    });
  });
  afterAll(() => bait.remove());

  it.each(HOSTILE)('gets nothing by $name', ({ name, ends }) => {
    const outcome = outcomes.get(name);

    expect(outcome).toMatchObject({ ends, isCleanAfterwards: true });
    expect(outcome?.seen).not.toContain(bait.secret);
  });

  it('leaves no canary', async () => {
    expect(HOSTILE.length).toBeGreaterThanOrEqual(35);
    expect(await bait.taken()).toEqual([]);
  });

  describe('where git is run as it comes, and links are followed', () => {
    afterEach(() => bait.clear());

    it.each(NAIVE)('gets it by $name', async ({ naively, files, change }) => {
      const repository = await makeRepository({ 'README.md': '# sample\n', ...files?.(bait) });

      const seen = await workedOn(repository, change(bait));
      await rm(repository, { recursive: true, force: true });

      expect(naively === 'executes' ? (await bait.taken()).length > 0 : seen.includes(bait.secret)).toBe(true);
    });
  });
});

/** What somebody sees who does with a repository what people do. */
async function workedOn(repository: string, change: string): Promise<string> {
  const words = ['status', 'add -A', 'commit --no-edit -m x', 'diff HEAD~1', 'log --all --patch', 'log HEAD', 'checkout -f HEAD'];
  const naive = words.map((line) => `git -c user.name=x -c user.email=x@example.org ${line}`).join('\n');
  const program = `exec </dev/null\n${change}\n${naive}\ncat link d/link d/file file`;
  const { stdout } = await promisify(execFile)('/bin/bash', ['-c', program], {
    cwd: repository,
    env: { PATH: process.env['PATH'], HOME: '/nonexistent', GIT_CONFIG_NOSYSTEM: '1', GIT_EDITOR: 'true' },
    timeout: 20_000,
  }).catch((error: unknown) => error as { stdout: string });
  return stdout;
}

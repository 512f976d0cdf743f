import { createGit } from '../../../src/shared/git/git.ts';
import { recordChange } from '../../../src/shared/git/change.ts';
import type { Workspace } from '../../../src/shared/git/workspace.ts';
import { runProcess } from '../../../src/shared/process/run-process.ts';
import type { Sandbox } from '../../../src/shared/process/sandbox/sandbox.ts';
import { AT, makeCached, makeDirectory, take } from '../../integration/git/fixtures.ts';
import type { Bait } from './bait.ts';
import type { HostileRepository } from './hostile-repository.ts';

export interface RecordedHostile {
  /** `recorded`, or the code of the error. */
  readonly ends: string;
  /** All that came out of it. */
  readonly seen: string;
  /** Whether the workspace that comes after it is as it has to be. */
  readonly isCleanAfterwards: boolean;
}

const IDENTITY = {
  GIT_AUTHOR_NAME: 'runner',
  GIT_AUTHOR_EMAIL: 'runner@example.org',
  GIT_COMMITTER_NAME: 'runner',
  GIT_COMMITTER_EMAIL: 'runner@example.org',
};

/** Has a change made in a workspace, inside a sandbox, and takes it as a coder would. */
export async function recordHostile(hostile: HostileRepository, bait: Bait, sandbox: Sandbox): Promise<RecordedHostile> {
  const directory = await makeDirectory();
  try {
    const { cache, commit } = await makeCached(directory.path, { 'README.md': '# sample\n', ...hostile.files?.(bait) });
    const workspace = await take(directory.path, cache, commit);
    await runInside(workspace, hostile.change(bait), sandbox);
    const outcome = await recordChange(workspace, { parents: [commit], message: 'Change', at: AT }).then(
      async (change) => ({
        ends: change === null ? 'nothing' : 'recorded',
        seen: `${JSON.stringify(change)}${change === null ? '' : await patchOf(cache.location.gitDir, change.commit)}`,
      }),
      (error: unknown) => ({ ends: error instanceof Error && 'code' in error ? String(error.code) : 'unknown', seen: String(error) }),
    );
    await workspace.release('normal');

    const next = await take(directory.path, cache, commit, 2);
    const isCleanAfterwards = (await recordChange(next, { parents: [commit], message: 'Nothing', at: AT })) === null;
    return { ...outcome, isCleanAfterwards };
  } finally {
    await directory.remove();
  }
}

async function runInside({ tree, scratch, objects }: Workspace, program: string, sandbox: Sandbox): Promise<void> {
  const { wrap, folders } = await sandbox.enter({ writable: [tree, scratch], readable: [objects] });
  await runProcess({
    argv: ['/bin/bash', '-c', program],
    cwd: tree,
    environment: { set: { ...IDENTITY, HOME: folders?.home ?? scratch } },
    mark: 'coder-1:1',
    wallMs: 20_000,
    graceMs: 200,
    wrap,
  });
}

async function patchOf(gitDir: string, commit: string): Promise<string> {
  return (await createGit({ gitDir }).run(['show', '--format=%B', commit])).stdout;
}

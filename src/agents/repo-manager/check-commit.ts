import { randomInt } from 'node:crypto';
import type { CheckResult } from '../../shared/domain/change.ts';
import type { RepositorySettings } from '../../shared/domain/feature.ts';
import type { CommitId } from '../../shared/domain/ids.ts';
import type { MirroredRepository } from '../../shared/forge/forge.ts';
import { takeWorkspace } from '../../shared/git/workspace.ts';
import { runChecks, runSetup } from '../../shared/process/commands.ts';
import type { RepoManagerContext } from './context.ts';

export interface CommitToCheck {
  readonly repository: MirroredRepository;
  readonly commit: CommitId;
  readonly settings: RepositorySettings;
  /** Names the workspace. */
  readonly name: string;
}

/** Runs a repository's setup and checks on the very tree of a commit, in a workspace of its own. No checks: nothing is run. */
export async function checkCommit(
  context: RepoManagerContext,
  { repository, commit, settings, name }: CommitToCheck,
): Promise<CheckResult[]> {
  if (settings.checks.length === 0) return [];
  const workspace = await takeWorkspace({
    home: context.home,
    repoKey: repository.key,
    cacheGitDir: repository.mirror,
    taskId: name,
    attempt: randomInt(1, 2 ** 31),
    owner: { agentId: context.agentId, incarnation: context.incarnation, pid: process.pid },
    commit,
  });
  let how: 'normal' | 'abandoned' = 'abandoned';
  try {
    const options = {
      cwd: workspace.tree,
      environment: { letThrough: settings.env, from: context.environment, set: { HOME: workspace.scratch, TMPDIR: workspace.scratch } },
      timeoutMs: settings.timeoutMs,
      mark: `${context.agentId}:merge`,
      system: context.home,
      signal: context.stopping,
      redact: context.redact,
    };
    const setup = await runSetup(settings.setup, options);
    const failed = setup.filter(({ passed }) => !passed);
    const checks = failed.length > 0 ? failed : await runChecks(settings.checks, options);
    how = 'normal';
    return checks;
  } finally {
    await workspace.release(how);
  }
}

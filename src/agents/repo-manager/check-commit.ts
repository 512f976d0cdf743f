import { randomInt } from 'node:crypto';
import type { CheckResult } from '../../shared/domain/change.ts';
import type { RepositorySettings } from '../../shared/domain/feature.ts';
import type { CommitId } from '../../shared/domain/ids.ts';
import type { MirroredRepository } from '../../shared/forge/forge.ts';
import { confine, type Confinement } from '../../shared/gateway/confine.ts';
import { takeWorkspace, type Workspace } from '../../shared/git/workspace.ts';
import { runChecks, runSetup } from '../../shared/process/commands.ts';

export interface CommitToCheck {
  readonly repository: MirroredRepository;
  readonly commit: CommitId;
  readonly settings: RepositorySettings;
  /** Names the workspace. */
  readonly name: string;
  /** Ends what runs. */
  readonly signal: AbortSignal;
}

/**
 * Runs a repository's setup and checks on the very tree of a commit. No checks: nothing is run.
 *
 * @throws InterruptedError when the signal is aborted
 */
export type CheckCommit = (commit: CommitToCheck) => Promise<CheckResult[]>;

export interface CheckerOptions {
  readonly home: string;
  readonly agentId: string;
  readonly incarnation: string;
  readonly confinement: Confinement;
  /** Names and values of the daemon's environment that checks may see, as far as a repository's settings let them through. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Takes secrets out of what setup and checks print. */
  readonly redact: (text: string) => string;
}

/** Checks in a workspace of its own each time. */
export function createCommitChecker(options: CheckerOptions): CheckCommit {
  return async (checked) => {
    if (checked.settings.checks.length === 0) return [];
    const { home, agentId, incarnation } = options;
    const workspace = await takeWorkspace({
      home,
      repoKey: checked.repository.key,
      cacheGitDir: checked.repository.mirror,
      taskId: checked.name,
      attempt: randomInt(1, 2 ** 31),
      owner: { agentId, incarnation, pid: process.pid },
      commit: checked.commit,
    });
    let how: 'normal' | 'abandoned' = 'abandoned';
    try {
      const checks = await runIn(workspace, checked, options);
      how = 'normal';
      return checks;
    } finally {
      await workspace.release(how);
    }
  };
}

async function runIn(
  { tree, scratch, objects }: Workspace,
  { settings, signal }: CommitToCheck,
  { home, agentId, confinement, environment: from, redact }: CheckerOptions,
): Promise<CheckResult[]> {
  return confine(confinement, { writable: [tree, scratch], readable: [objects] }, async ({ wrap, environment, folders }) => {
    const options = {
      cwd: tree,
      environment: { letThrough: settings.env, from, set: { ...environment, HOME: scratch, TMPDIR: folders?.tmp ?? scratch } },
      timeoutMs: settings.timeoutMs,
      mark: `${agentId}:merge`,
      system: home,
      signal,
      redact,
      wrap,
    };
    const setup = await runSetup(settings.setup, options);
    const failed = setup.filter(({ passed }) => !passed);
    return failed.length > 0 ? failed : runChecks(settings.checks, options);
  });
}

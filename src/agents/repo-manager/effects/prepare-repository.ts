import { z } from 'zod';
import type { EffectOutcome } from '../../../shared/domain/effect.ts';
import { RepositorySettings } from '../../../shared/domain/feature.ts';
import type { CommitId } from '../../../shared/domain/ids.ts';
import type { Job } from '../../../shared/domain/job.ts';
import { TerminalError } from '../../../shared/errors/errors.ts';
import type { Git } from '../../../shared/git/git.ts';
import { readFileAt } from '../../../shared/git/inspect.ts';
import { openRepository, type RepoManagerContext } from '../context.ts';

const SETTINGS_FILE = '.multi-agent.json';

/** Finds the repository, its base branch with the newest commit, and the settings on it. */
export async function prepareRepository(context: RepoManagerContext, job: Job): Promise<EffectOutcome> {
  const { forge, repository, git } = await openRepository(context, job);
  const base = await forge.fetchBase(repository, job.requestedBase, job.createdAt);
  const settings = await readSettings(git, base.commit);
  return { type: 'RepositoryPrepared', host: context.host, base: base.branch, baseCommit: base.commit, settings };
}

/**
 * The settings on the base branch, never those of the change: what a change says about its own checks counts for nothing.
 *
 * @throws TerminalError `settings_invalid` naming every fault
 */
export async function readSettings(git: Git, commit: CommitId): Promise<RepositorySettings> {
  const text = await readFileAt(git, commit, SETTINGS_FILE);
  if (text === null) return RepositorySettings.parse({});
  const parsed = RepositorySettings.safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  throw new TerminalError('settings_invalid', `${SETTINGS_FILE} on the base branch is not valid:\n${z.prettifyError(parsed.error)}`);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new TerminalError('settings_invalid', `${SETTINGS_FILE} on the base branch is not JSON: ${String(error)}`, { cause: error });
  }
}

import type { Failure } from '../../shared/domain/change.ts';
import { type MultiAgentError, TerminalError } from '../../shared/errors/errors.ts';
import type { Confinement } from '../../shared/gateway/confine.ts';
import type { Runner } from '../../shared/runner/runner.ts';
import type { CacheContext } from './cache.ts';

/** What the workers of both roles work with. */
export interface WorkerContext extends CacheContext {
  readonly runner: Runner;
  /** Where setup and checks are run. They never get a way to a model. */
  readonly confinement: Confinement;
  readonly agentId: string;
  readonly incarnation: string;
  /** A run that says nothing for this long is ended (milliseconds). */
  readonly stallMs: number;
  /** Where values of variables come from that a repository's settings let through. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Takes the daemon's secrets out of what a runner says: it has some of them, and its words go into logs, records and commits. */
  readonly redact: (text: string) => string;
}

/** A runner's, or a change's, failure as a result that the job decides upon; anything else is rethrown. */
export function failureOf(error: unknown): Failure {
  if (!(error instanceof TerminalError)) throw error;
  const failed: MultiAgentError = error;
  return { code: failed.code, message: failed.message, retryable: true };
}

/** The runner as people are shown it, with a word where nothing keeps it from what the daemon can do. */
export function describeRunner({ runner, confinement }: Pick<WorkerContext, 'runner' | 'confinement'>): string {
  return runner.startsPrograms && !confinement.sandbox.isolates ? `${runner.description} (no sandbox)` : runner.description;
}

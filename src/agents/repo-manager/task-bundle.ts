import type { BundleRef } from '../../shared/domain/bundle.ts';
import type { CommitId, TaskRole } from '../../shared/domain/ids.ts';
import type { Job } from '../../shared/domain/job.ts';
import { bundleName } from '../../shared/messaging/bundle-store.ts';
import type { Commits } from './commits.ts';
import { type RepoManagerContext, required } from './context.ts';

export interface TaskBundleRequest {
  readonly commits: Commits;
  readonly repositoryKey: string;
  readonly taskId: string;
  /** Tells this bundle from the task's other ones. */
  readonly suffix: string;
  /** The commits the task needs; the first is the bundle's tip. */
  readonly tips: readonly CommitId[];
  /** Commits that the receiver has; must be in the mirror. */
  readonly known: readonly CommitId[];
  readonly key: Buffer;
}

/** The commits an agent needs for the current task of a job: where it starts first. */
export function tipsOf(job: Job, role: TaskRole): readonly CommitId[] {
  const base = required(job.baseCommit, 'baseCommit');
  const head = job.headCommit ?? base;
  const others = role === 'coder' && job.mergeWith !== undefined ? [job.mergeWith] : [base];
  return [...new Set([head, ...others])];
}

/** Makes and stores the bundle of a task; undefined where the receiver has all of it. */
export async function makeTaskBundle(context: RepoManagerContext, request: TaskBundleRequest): Promise<BundleRef | undefined> {
  const { commits, tips, known, key } = request;
  const [tip] = tips;
  const wanted = tips.filter((commit) => !known.includes(commit));
  if (tip === undefined || wanted.length === 0) return undefined;
  const bytes = await commits.bundle({
    tips: wanted.map((id, index) => ({ id, ref: `refs/heads/task-${String(index)}` })),
    prerequisites: known,
  });
  const name = bundleName(request.repositoryKey, request.taskId, request.suffix, 'in');
  return context.bundles.put(name, bytes, key, wanted[0] ?? tip);
}

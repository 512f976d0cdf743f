import type { NatsConnection } from '@nats-io/transport-node';
import { z } from 'zod';
import type { HomePaths } from '../../shared/config/home.ts';
import { partsOfTaskId, TaskId } from '../../shared/domain/ids.ts';
import { listWorkspaces, sweepWorkspaces, type FoundWorkspace } from '../../shared/git/sweep.ts';
import { isAlive } from '../../shared/lifecycle/process-state.ts';
import { Claim } from '../../shared/messages/agent.ts';
import { openBucket } from '../../shared/messaging/bucket.ts';
import { BUCKETS } from '../../shared/messaging/topology.ts';

/** What was removed. */
export interface Garbage {
  /** Names under `worktrees/`. */
  readonly worktrees: readonly string[];
  /** Task ids. */
  readonly claims: readonly string[];
}

/**
 * Removes what a crash left behind: workspaces on this host whose process is gone, and claims of jobs that have ended. What a living process
 * works in, and what belongs to an open job, is left alone.
 */
export async function collectGarbage(nc: NatsConnection, paths: HomePaths): Promise<Garbage> {
  const gone = new Set<string>();
  for (const { name, owner } of await listWorkspaces(paths.home)) if (!(await isAlive(owner.pid))) gone.add(name);
  const isLeftOver = ({ name }: FoundWorkspace): boolean => gone.has(name);
  return { worktrees: await sweepWorkspaces(paths.home, isLeftOver), claims: await removeOldClaims(nc) };
}

async function removeOldClaims(nc: NatsConnection): Promise<string[]> {
  const claims = await openBucket(nc, BUCKETS.claims, Claim);
  // Claims are listed before the open jobs: those of a job that starts meanwhile are then not in the list.
  const claimed = await claims.all();
  const open = await openBucket(nc, BUCKETS.open, z.unknown());
  const openJobs = new Set((await open.all()).map(({ key }) => key));
  const isOver = (taskId: string): boolean => TaskId.safeParse(taskId).success && !openJobs.has(partsOfTaskId(taskId).jobId);
  const old = claimed.filter(({ key }) => isOver(key));
  const removed = await Promise.all(old.map(async ({ key, revision }) => ((await claims.remove(key, revision)) ? key : [])));
  return removed.flat();
}

import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { NatsConnection } from '@nats-io/transport-node';
import { z } from 'zod';
import type { HomePaths } from '../../shared/config/home.ts';
import { partsOfTaskId, TaskId } from '../../shared/domain/ids.ts';
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
 * Removes what a crash left behind: workspaces and claims of tasks whose job has ended. A job that is still open is left alone, whatever
 * its agents look like: its next attempt cleans up after the last one.
 */
export async function collectGarbage(nc: NatsConnection, paths: HomePaths): Promise<Garbage> {
  // Claims and worktrees are listed before the open jobs: what belongs to a job that starts meanwhile is then never in the lists.
  const worktrees = await readdir(paths.worktrees).catch(() => []);
  const claims = await openBucket(nc, BUCKETS.claims, Claim);
  const claimed = await claims.all();
  const open = new Set((await (await openBucket(nc, BUCKETS.open, z.unknown())).all()).map(({ key }) => key));
  const isOver = (taskId: string): boolean => TaskId.safeParse(taskId).success && !open.has(partsOfTaskId(taskId).jobId);

  const oldWorktrees = worktrees.filter((name) => isOver(taskOf(name)));
  await Promise.all(oldWorktrees.map((name) => rm(join(paths.worktrees, name), { recursive: true, force: true })));
  const removed = await Promise.all(
    claimed.filter(({ key }) => isOver(key)).map(async ({ key, revision }) => ((await claims.remove(key, revision)) ? key : [])),
  );
  return { worktrees: oldWorktrees, claims: removed.flat() };
}

/** `<taskId>`, or `<taskId>.<attempt>` or another suffix. */
function taskOf(name: string): string {
  return /^job-[0-9A-Z]{26}\.(?:implement|review)\.\d+/.exec(name)?.[0] ?? name;
}

import { hostname } from 'node:os';
import { jetstream } from '@nats-io/jetstream';
import { createLocalForge } from '../../shared/forge/local/local-forge.ts';
import { Claim, Lock } from '../../shared/messages/agent.ts';
import { openBucket } from '../../shared/messaging/bucket.ts';
import { openBundleStore } from '../../shared/messaging/bundle-store.ts';
import { BUCKETS } from '../../shared/messaging/topology.ts';
import type { DaemonContext } from '../base/daemon.ts';
import { bundleSecret } from './bundle-secret.ts';
import type { RepoManagerContext } from './context.ts';
import { openJobStore } from './job-store.ts';
import { createKnownCommits } from './known-commits.ts';
import { createMergeLock } from './merge-lock.ts';

/** Puts a repo-manager's parts together. */
export async function wireRepoManager(
  daemon: Pick<DaemonContext, 'nc' | 'paths' | 'agentId' | 'incarnation' | 'log'>,
): Promise<RepoManagerContext> {
  const { nc, paths, agentId, incarnation, log } = daemon;
  return {
    nc,
    js: jetstream(nc),
    store: await openJobStore(nc),
    claims: await openBucket(nc, BUCKETS.claims, Claim),
    bundles: await openBundleStore(nc),
    forges: { local: createLocalForge({ home: paths.home }) },
    mergeLock: createMergeLock({
      locks: await openBucket(nc, BUCKETS.locks, Lock),
      holder: agentId,
      incarnation,
      onError: (error) => {
        log.error({ err: error }, 'a merge lock could not be renewed');
      },
    }),
    known: createKnownCommits(),
    secret: await bundleSecret(paths.run),
    home: paths.home,
    host: hostname(),
    agentId,
    incarnation,
    now: () => Date.now(),
    log,
    environment: process.env,
  };
}

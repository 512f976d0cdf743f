import { homeId } from '../../shared/config/home-id.ts';
import { decide } from '../../shared/domain/decide.ts';
import { createLocalForge } from '../../shared/forge/local/local-forge.ts';
import { systemClock } from '../../shared/lifecycle/clock.ts';
import { Claim, Heartbeat, Lock } from '../../shared/messages/agent.ts';
import { openBucket } from '../../shared/messaging/bucket.ts';
import { openBundleStore } from '../../shared/messaging/bundle-store.ts';
import { BUCKETS } from '../../shared/messaging/topology.ts';
import { environmentToGive } from '../../shared/process/environment.ts';
import type { Sandbox } from '../../shared/process/sandbox/sandbox.ts';
import { createRedactor } from '../../shared/telemetry/redact.ts';
import type { DaemonContext } from '../base/daemon.ts';
import { openBus } from './bus.ts';
import { bundleSecret } from './bundle-secret.ts';
import { createCommitChecker } from './check-commit.ts';
import { openCommits } from './commits.ts';
import type { RepoManagerContext } from './context.ts';
import { createGreenTrees } from './green-trees.ts';
import { openJobStore } from './job-store.ts';
import { createLimiter } from './keyed-queue.ts';
import { createKnownCommits } from './known-commits.ts';
import { createMergeLock } from './merge-lock.ts';
import { createOtherHomes } from './other-homes.ts';
import { pinnedJobs } from './pinned-jobs.ts';

/** Most effects are a few git processes: more at once only make each other slow. */
const EFFECTS_AT_ONCE = 16;

/** Puts a repo-manager's parts together. */
export async function wireRepoManager(
  daemon: Pick<DaemonContext, 'nc' | 'paths' | 'agentId' | 'incarnation' | 'log'> & {
    readonly config: Pick<DaemonContext['config'], 'allowedHosts' | 'passedEnvironment' | 'secrets'>;
    readonly sandbox: Sandbox;
  },
): Promise<RepoManagerContext> {
  const { nc, config, paths, agentId, incarnation, sandbox, log } = daemon;
  const host = await homeId(paths);
  return {
    decide,
    bus: await openBus(nc),
    store: await openJobStore(nc),
    claims: await openBucket(nc, BUCKETS.claims, Claim),
    bundles: await openBundleStore(nc, agentId),
    forges: { local: createLocalForge({ home: paths.home }) },
    openCommits,
    pinnedJobs: () => pinnedJobs(paths.home),
    checkCommit: createCommitChecker({
      home: paths.home,
      agentId,
      incarnation,
      confinement: { sandbox, home: paths.home, hosts: config.allowedHosts },
      environment: environmentToGive(config.passedEnvironment),
      redact: createRedactor(config.secrets).redact,
    }),
    mergeLock: createMergeLock({
      locks: await openBucket(nc, BUCKETS.locks, Lock),
      holder: agentId,
      incarnation,
      onError: (error) => {
        log.error({ err: error }, 'a merge lock could not be renewed');
      },
    }),
    known: createKnownCommits(),
    green: createGreenTrees(),
    slots: createLimiter(EFFECTS_AT_ONCE),
    stopping: new AbortController().signal,
    secret: await bundleSecret(paths.run),
    home: paths.home,
    host,
    otherHomes: createOtherHomes({ agents: await openBucket(nc, BUCKETS.agents, Heartbeat), host }),
    agentId,
    incarnation,
    now: () => Date.now(),
    clock: systemClock,
    log,
  };
}

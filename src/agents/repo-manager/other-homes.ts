import type { JobId } from '../../shared/domain/ids.ts';
import type { Heartbeat } from '../../shared/messages/agent.ts';
import type { Bucket } from '../../shared/messaging/bucket.ts';

/** The repo-managers of other homes on the same NATS. */
export interface OtherHomes {
  /**
   * Whether a job whose repository is not here may yet be taken on by another home: one is there, and we have not looked at
   * the job for half a minute already. Each look hands the job to whichever repo-manager is next.
   */
  mayTake(jobId: JobId): Promise<boolean>;
  /** Whether a repo-manager of that home gives signs of life. */
  isUp(host: string): Promise<boolean>;
}

export interface OtherHomesOptions {
  readonly agents: Bucket<Heartbeat>;
  /** Our own home. */
  readonly host: string;
  /** How long a job is left for others (milliseconds, by this process's own clock). Default 30,000. */
  readonly patienceMs?: number;
}

const PATIENCE_MS = 30_000;

export function createOtherHomes({ agents, host, patienceMs = PATIENCE_MS }: OtherHomesOptions): OtherHomes {
  const firstLook = new Map<JobId, number>();
  const forgetOld = (now: number): void => {
    for (const [jobId, at] of firstLook) if (now - at > 2 * patienceMs) firstLook.delete(jobId);
  };
  const repoManagers = async (): Promise<Heartbeat[]> =>
    (await agents.all()).map(({ value }) => value).filter(({ role }) => role === 'repo-manager');
  return {
    isUp: async (home) => (await repoManagers()).some((heartbeat) => heartbeat.host === home),
    mayTake: async (jobId) => {
      const now = performance.now();
      forgetOld(now);
      const first = firstLook.get(jobId) ?? now;
      firstLook.set(jobId, first);
      if (now - first > patienceMs) return false;
      return (await repoManagers()).some((heartbeat) => heartbeat.host !== host);
    },
  };
}

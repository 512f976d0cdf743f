import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { type BuiltPrograms, buildPrograms } from '../support/built-programs.ts';
import { faultsAfter } from '../support/crash/oracle.ts';
import { waitFor } from '../support/crash/run-points.ts';
import { type CrashSystem, startCrashSystem } from '../support/crash/system.ts';

jest.setTimeout(900_000);

const JOBS = 4;
/** A task is given up after five dispatches; each kill costs one. */
const KILLS_PER_JOB = 3;
const ACK_WAIT_MS = 4_000;

let built: BuiltPrograms;
let system: CrashSystem;

beforeAll(async () => {
  built = await buildPrograms('crash');
});
afterEach(() => system.stop());
afterAll(() => built.remove());

describe('a coder killed in a long run', () => {
  it('and started again has its task running well before its lease has run out', async () => {
    // The lease is so long that waiting for it would be noticed.
    system = await startCrashSystem(built, { ackWaitMs: 30_000 });
    const times: number[] = [];
    for (let n = 0; n < JOBS; n++) {
      system.hold();
      const job = await system.submit();
      await waitFor(() => startsOf(job.id) === 1);
      for (let kill = 1; kill <= KILLS_PER_JOB; kill++) {
        times.push(await killAndWait('coder-1', () => startsOf(job.id) === kill + 1));
      }
      system.letGo();
      expect(await faultsAfter(system, job)).toEqual([]);
    }

    report('killed and started again', times);
    expect(percentile(times, 99)).toBeLessThan(11_000);
  });

  it('and not started again leaves its task to another, a second after its lease at most', async () => {
    system = await startCrashSystem(built, { ackWaitMs: ACK_WAIT_MS, counts: { coder: 2 } });
    const times: number[] = [];
    for (let n = 0; n < JOBS; n++) {
      system.hold();
      const job = await system.submit();
      await waitFor(() => startsOf(job.id) === 1);
      const agentId = (await system.job(job.id))?.task?.agentId ?? (await agentOf(job.id));
      system.daemon(agentId).abandon();
      times.push(await killAndWait(agentId, () => startsOf(job.id) === 2));
      system.letGo();
      expect((await system.finished(job.id)).status).toBe('COMPLETED');
      system.daemon(agentId).revive();
      expect(await faultsAfter(system, job)).toEqual([]);
    }

    report('killed for good', times);
    expect(percentile(times, 99)).toBeLessThan(ACK_WAIT_MS + 1_000);
  });
});

function startsOf(jobId: string): number {
  return system.runs().filter((line) => line.startsWith(`start ${jobId}`)).length;
}

async function agentOf(jobId: string): Promise<string> {
  await waitFor(async () => (await system.job(jobId))?.task?.agentId !== undefined);
  return (await system.job(jobId))?.task?.agentId ?? '';
}

/** Milliseconds from the kill to the runner at work again. */
async function killAndWait(id: string, isBack: () => boolean): Promise<number> {
  const killedAt = performance.now();
  system.daemon(id).signal('SIGKILL');
  await waitFor(isBack, 40_000);
  return Math.round(performance.now() - killedAt);
}

function percentile(times: readonly number[], percent: number): number {
  const sorted = times.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * percent) / 100))] ?? 0;
}

function report(what: string, times: readonly number[]): void {
  process.stderr.write(
    `${what}: p50 ${percentile(times, 50)} ms, p99 ${percentile(times, 99)} ms of ${times.length} (${times.join(', ')})\n`,
  );
}

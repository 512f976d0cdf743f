import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { type BuiltPrograms, buildPrograms } from '../support/built-programs.ts';
import { faultsAfter } from '../support/crash/oracle.ts';
import { type CrashSystem, startCrashSystem, type SubmittedJob } from '../support/crash/system.ts';

jest.setTimeout(900_000);

const JOBS = 6;
const KILLS = 6;
/** The longest time between two deaths of the server (milliseconds): a job takes longer. */
const LIFE_MS = 1_500;
const WITHIN_MS = 90_000;

describe('a nats-server that is killed again and again', () => {
  let built: BuiltPrograms;
  let system: CrashSystem;

  beforeAll(async () => {
    built = await buildPrograms('crash');
    system = await startCrashSystem(built, { counts: { coder: 2 } });
  });
  afterAll(async () => {
    await system.stop();
    await built.remove();
  });

  it('loses no job and doubles none; the daemons come back to it', async () => {
    const jobs: SubmittedJob[] = [];
    for (let n = 0; n < JOBS; n++) jobs.push(await system.submit({ rounds: n % 2 === 0 ? 1 : 2 }));

    const lives: number[] = [];
    for (let n = 0; n < KILLS; n++) {
      const lifeMs = Math.round(Math.random() * LIFE_MS);
      lives.push(lifeMs);
      await delay(lifeMs);
      await system.nats.restart();
    }

    await Promise.all(jobs.map(({ id }) => system.finished(id, WITHIN_MS)));
    const faults: string[] = [];
    for (const job of jobs) faults.push(...(await faultsAfter(system, job)));
    expect({ lives, faults }).toEqual({ lives, faults: [] });
    expect(system.daemons.map((daemon) => daemon.starts())).toEqual([1, 1, 1, 1]);
  });

  it('may be away for long: daemons wait, and go on', async () => {
    await system.nats.kill9();
    await delay(8_000);
    await system.nats.restart();

    const job = await system.submit();

    expect(await faultsAfter(system, job)).toEqual([]);
    expect(system.daemons.map((daemon) => daemon.starts())).toEqual([1, 1, 1, 1]);
  });
});

import { spawnSync } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { jetstreamManager } from '@nats-io/jetstream';
import type { Job } from '../../../src/shared/domain/job.ts';
import { STREAMS } from '../../../src/shared/messaging/topology.ts';
import { openSandbox } from '../../../src/shared/process/sandbox/open-sandbox.ts';
import { scriptedRequest } from '../../support/feature-script.ts';
import { git, type InProcessSystem, makeRepository, startSystem } from '../../support/in-process-system.ts';
import { type Bait, setBait } from '../../support/sandbox/bait.ts';
import { BOMB, HOSTILE_CHECKS, thefts } from '../../support/sandbox/hostile-checks.ts';
import { type HostileRepository, WORK } from '../../support/sandbox/hostile-repository.ts';
import { inTurns } from '../../support/sandbox/in-turns.ts';

const MB = 1024 ** 2;
const LIMITS = { processes: 300, fileBytes: 256 * MB, memoryFileBytes: 64 * MB };

interface Outcome {
  readonly job: Job;
  /** All that the repository holds afterwards. */
  readonly content: string;
}

describe('a whole system in a sandbox', () => {
  let system: InProcessSystem;
  let bait: Bait;
  const outcomes = new Map<string, Outcome>();

  beforeAll(async () => {
    bait = await setBait();
    system = await startSystem({
      coder: 'node {bin}/shell.mjs',
      reviewer: 'node {bin}/reviewer.mjs',
      coders: 2,
      passed: { DEPLOY_KEY: `${bait.secret}-key` },
      sandbox: (home) => openSandbox({ home, unsafe: false, limits: LIMITS }),
    });
    await inTurns(HOSTILE_CHECKS, async (hostile) => {
      outcomes.set(hostile.name, await outcomeOf(hostile));
    });
  });
  afterAll(async () => {
    await system.stop();
    await bait.remove();
  });

  async function outcomeOf({ files, settings, change }: Pick<HostileRepository, 'change' | 'files' | 'settings'>): Promise<Outcome> {
    const own = settings === undefined ? {} : { '.multi-agent.json': JSON.stringify(settings(bait)) };
    const repository = await makeRepository({ 'README.md': '# sample\n', ...files?.(bait), ...own });
    const job = await system.finished(await system.submit(scriptedRequest(repository, change(bait))), 45_000);
    const content = git(repository, 'log', '--all', '--patch', '--format=%B');
    await rm(repository, { recursive: true, force: true });
    return { job, content };
  }

  it.each(HOSTILE_CHECKS)('gives nothing to $name', ({ name, ends }) => {
    const { job, content } = outcomes.get(name) ?? {};

    expect(job?.error?.code ?? job?.status).toBe(ends);
    expect(content).not.toContain(bait.secret);
    expect(content).not.toContain('late.txt');
    expect(JSON.stringify(job)).not.toContain(bait.secret);
  });

  it('sees no canary, and says nothing of a secret', async () => {
    const said = await messages(system);

    expect(await bait.taken()).toEqual([]);
    expect(said.length).toBeGreaterThan(HOSTILE_CHECKS.length);
    expect(said.filter((message) => message.includes(bait.secret))).toEqual([]);
  });

  it('is robbed by each theft where there is none', async () => {
    const passed = thefts(bait).filter((theft) => spawnSync('/bin/bash', ['-c', theft]).status === 0);
    const taken = await bait.taken();
    await bait.clear();

    expect(passed).toEqual([]);
    expect(taken).toEqual(expect.arrayContaining(['thief']));
  });

  it('goes on with its work after a bomb', async () => {
    const bomb = await outcomeOf(BOMB);
    const ordinary = await outcomeOf({ change: () => WORK, settings: () => ({ checks: ['grep -q work work.txt'] }) });

    expect(bomb.job.error?.code).toBe(BOMB.ends);
    expect(ordinary.job.status).toBe('COMPLETED');
  });
});

async function messages({ nc }: InProcessSystem): Promise<string[]> {
  const jsm = await jetstreamManager(nc);
  const { state } = await jsm.streams.info(STREAMS.events);
  const found: string[] = [];
  for (let seq = state.first_seq; seq <= state.last_seq; seq++) {
    found.push((await jsm.streams.getMessage(STREAMS.events, { seq }))?.string() ?? '');
  }
  return found;
}

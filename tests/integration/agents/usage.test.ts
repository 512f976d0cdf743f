import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ulid } from 'ulid';
import { DEFAULT_WORKFLOW } from '../../../src/shared/domain/feature.ts';
import { scriptedRequest } from '../../support/feature-script.ts';
import { type InProcessSystem, makeRepository, startSystem } from '../../support/in-process-system.ts';
import { until } from '../../support/until.ts';

let system: InProcessSystem;
let repository: string;
const COST_USD = 0.25;

beforeAll(async () => {
  system = await startSystem({ coder: 'node {bin}/coder.mjs', reviewer: 'node {bin}/reviewer.mjs' });
  repository = await makeRepository({ '.multi-agent.json': JSON.stringify({ checks: ['grep -q yes ok.txt'] }) });
});
afterAll(async () => {
  await system.stop();
  await rm(repository, { recursive: true, force: true });
});

const request = (script: object) => scriptedRequest(repository, { costUsd: COST_USD, files: { 'ok.txt': 'yes\n' }, ...script });

describe('what a job costs', () => {
  it('includes every try of an attempt', async () => {
    const jobId = await system.submit(request({ files: { 'ok.txt': 'no\n' } }));

    const job = await system.finished(jobId);

    expect(job).toMatchObject({ status: 'FAILED', error: { code: 'checks_failed' }, usage: { costUsd: 3 * COST_USD } });
  });

  it('includes every attempt at a runner that fails after it was paid for', async () => {
    const jobId = await system.submit(request({ exit: 75 }));

    const job = await system.finished(jobId, 60_000);

    expect(job).toMatchObject({ status: 'FAILED', error: { code: 'runner_unavailable' }, usage: { costUsd: 5 * COST_USD } });
  });

  it('keeps a runner that is not available from being paid again and again', async () => {
    const workflow = { ...DEFAULT_WORKFLOW, maxCostUsd: 2 * COST_USD };
    const jobId = await system.submit({ ...request({ exit: 75 }), workflow });

    const job = await system.finished(jobId, 60_000);

    expect(job).toMatchObject({ status: 'FAILED', error: { code: 'budget_exceeded' }, usage: { costUsd: 2 * COST_USD } });
  });

  it('includes a failed run, and a verdict that is none', async () => {
    const failed = await system.finished(await system.submit(request({ exit: 1 })));
    const verdict = { decision: 'LGTM', usage: { inputTokens: 7 } };

    const unjudged = await system.finished(await system.submit(request({ verdict })));

    expect(failed).toMatchObject({ error: { code: 'runner_failed' }, usage: { costUsd: COST_USD } });
    expect(unjudged).toMatchObject({ error: { code: 'invalid_verdict' }, usage: { costUsd: COST_USD, inputTokens: 7 } });
  });

  it('includes what was spent before the task was handed back', async () => {
    const never = join(repository, '..', `${ulid()}.never`);
    const stamp = join(repository, '..', `${ulid()}.stamp`);
    const tries = { first: { 'ok.txt': 'no\n' }, again: { 'ok.txt': 'yes\n' } };
    const jobId = await system.submit(request({ tries, waitAgain: never, stamp }));
    await until('the second try has begun', async () => (await readFile(stamp, 'utf8').catch(() => '')).split('\n').length === 3);

    await system.agents[0]?.stop(AbortSignal.abort());
    const back = await system.jobWhen(jobId, ({ usage }) => usage.costUsd > 0);
    await system.command({ type: 'StopJob', jobId });
    const job = await system.finished(jobId);
    system.agents[0] = await system.startCoder(1);

    expect(back.usage.costUsd).toBe(COST_USD);
    expect(job).toMatchObject({ status: 'CANCELLED', usage: { costUsd: COST_USD } });
    await rm(stamp);
  });
});

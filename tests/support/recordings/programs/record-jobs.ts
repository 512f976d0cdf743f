import { mkdirSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DEFAULT_WORKFLOW } from '../../../../src/shared/domain/feature.ts';
import type { JobInput } from '../../../../src/shared/domain/input.ts';
import { isTerminal, type Job } from '../../../../src/shared/domain/job.ts';
import { scriptedRequest } from '../../feature-script.ts';
import { git, type InProcessSystem, makeRepository, startSystem } from '../../in-process-system.ts';
import { RECORDINGS, type RecordedStep, stepOf, writtenRecording } from '../recording.ts';

/** What a scenario does with a system and a repository; it gives the job when that is at rest. */
interface Scenario {
  readonly name: string;
  readonly reviewer?: string;
  readonly play: (system: InProcessSystem, repository: string) => Promise<Job>;
}

const hasEnded = ({ status, pending }: Job): boolean => isTerminal(status) && pending.length === 0;

const SCENARIOS: readonly Scenario[] = [
  { name: 'approved', play: async (system, repository) => system.finished(await system.submit(scriptedRequest(repository))) },
  {
    name: 'sent-back-once',
    reviewer: 'node {bin}/reviewer.mjs changes 1',
    play: async (system, repository) => system.finished(await system.submit(scriptedRequest(repository))),
  },
  {
    name: 'rejected-then-approved-by-a-person',
    play: async (system, repository) => {
      const jobId = await system.submit({ ...scriptedRequest(repository), workflow: { ...DEFAULT_WORKFLOW, merge: 'manual' } });
      await system.jobWhen(jobId, ({ needs, pending }) => needs !== undefined && pending.length === 0);
      await system.command({ type: 'RejectJob', jobId, comment: 'Not so.' });
      const { headCommit } = await system.jobWhen(
        jobId,
        ({ round, needs, pending }) => round === 2 && needs !== undefined && pending.length === 0,
      );
      await system.command({ type: 'ApproveJob', jobId, ...(headCommit === undefined ? {} : { headCommit }) });
      return system.finished(jobId);
    },
  },
  {
    name: 'failed-then-retried-and-stopped',
    play: async (system, repository) => {
      const jobId = await system.submit(scriptedRequest(repository, { exit: 3 }));
      await system.finished(jobId);
      await system.command({ type: 'RetryJob', jobId });
      await system.jobWhen(jobId, (job) => hasEnded(job) && job.commands.length === 1);
      await system.command({ type: 'StopJob', jobId });
      return system.finished(jobId);
    },
  },
  {
    name: 'dirty-tree',
    play: async (system, repository) => {
      writeFileSync(join(repository, 'README.md'), 'being edited\n');
      const jobId = await system.submit(scriptedRequest(repository));
      await system.jobWhen(jobId, ({ needs, pending }) => needs?.kind === 'dirty_tree' && pending.length === 0);
      git(repository, 'checkout', 'README.md');
      return system.finished(jobId);
    },
  },
];

mkdirSync(RECORDINGS, { recursive: true });
for (const scenario of SCENARIOS) await record(scenario);

async function record({ name, reviewer = 'node {bin}/reviewer.mjs', play }: Scenario): Promise<void> {
  const steps: { readonly before: Job | null; readonly after: Job; readonly step: RecordedStep }[] = [];
  const repository = await makeRepository();
  const system = await startSystem({
    coder: 'node {bin}/coder.mjs',
    reviewer,
    wrapContext: (context) => ({
      ...context,
      decide: (before: Job | null, input: JobInput) => {
        const after = context.decide(before, input);
        steps.push({ before, after, step: stepOf(input, after) });
        return after;
      },
    }),
  });
  try {
    const job = await play(system, repository);
    const text = writtenRecording({ steps: steps.filter(({ before, after }) => after !== before).map(({ step }) => step), job });
    // Nobody is interested in where it was.
    writeFileSync(new URL(`${name}.jsonl`, RECORDINGS), text.replaceAll(repository, '/srv/app'));
    process.stderr.write(`${name}: ${job.status}\n`);
  } finally {
    await system.stop();
    await rm(repository, { recursive: true, force: true });
  }
}

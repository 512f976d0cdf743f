import type { z } from 'zod';
import { JobEvent } from '../domain/event.ts';
import { Job } from '../domain/job.ts';
import { Claim, DeadLetter, Heartbeat, Lock } from './agent.ts';
import { FeatureRequest } from './feature-request.ts';
import { JobEventMessage } from './job-event.ts';
import {
  ApproveJob,
  ImplementationResult,
  RejectJob,
  RetryJob,
  ReviewResult,
  StopJob,
  TaskFailed,
  TaskStarted,
  UsageReported,
} from './job-input.ts';
import { LogBatch } from './log-batch.ts';
import { subjects } from './subjects.ts';
import { BundleAnswer, BundleNeed, ImplementationRequest, ReviewRequest } from './task.ts';

/** What is documented about one message or record. */
export interface CatalogueEntry {
  /** Also the name of its JSON Schema's file. */
  readonly name: string;
  readonly schema: z.ZodType;
  /** The stream or bucket it lies in; `core` is NATS without a stream. */
  readonly place: string;
  /** The subject, or the key in a bucket. */
  readonly subject: string;
  readonly writer: string;
  readonly about: string;
}

const JOB = '<jobId>';
const TASK = '<taskId>';

const command = { place: 'INPUTS', subject: subjects.input('command', JOB), writer: 'CLI' } as const;
const reportOf = (...sources: readonly ('coder' | 'reviewer')[]) => ({
  place: 'INPUTS',
  subject: sources.map((source) => subjects.input(source, JOB)).join(', '),
  writer: sources.join(', '),
});

/** Every message and record of ours, in the order in which a job meets them. */
export const catalogue: readonly CatalogueEntry[] = [
  {
    name: 'FeatureRequest',
    schema: FeatureRequest,
    place: 'REQUESTS',
    subject: subjects.request(JOB),
    writer: 'CLI',
    about: 'What a user hands over. Stored means accepted.',
  },
  {
    name: 'ImplementationRequest',
    schema: ImplementationRequest,
    place: 'TASKS',
    subject: `${subjects.tasks.replace('>', 'coder')}.<priority>`,
    writer: 'repo-manager',
    about: 'Make the change, or correct it.',
  },
  {
    name: 'ReviewRequest',
    schema: ReviewRequest,
    place: 'TASKS',
    subject: `${subjects.tasks.replace('>', 'reviewer')}.<priority>`,
    writer: 'repo-manager',
    about: 'Judge this head commit.',
  },
  { name: 'TaskStarted', schema: TaskStarted, ...reportOf('coder', 'reviewer'), about: 'An agent has taken the task up.' },
  { name: 'ImplementationResult', schema: ImplementationResult, ...reportOf('coder'), about: 'The commits that the coder made.' },
  { name: 'ReviewResult', schema: ReviewResult, ...reportOf('reviewer'), about: 'A verdict, about the head commit it names.' },
  {
    name: 'TaskFailed',
    schema: TaskFailed,
    ...reportOf('coder', 'reviewer'),
    about: 'The task ended without a result; what there was of the work comes along.',
  },
  {
    name: 'UsageReported',
    schema: UsageReported,
    ...reportOf('coder', 'reviewer'),
    about: 'What an attempt has cost so far; after each run of its runner that says so.',
  },
  { name: 'StopJob', schema: StopJob, ...command, about: 'End the job; a merge that is under way decides first.' },
  { name: 'ApproveJob', schema: ApproveJob, ...command, about: 'Merge what waits for approval.' },
  { name: 'RejectJob', schema: RejectJob, ...command, about: 'Another round, with this comment.' },
  { name: 'RetryJob', schema: RetryJob, ...command, about: 'Go on with a job that FAILED or was CANCELLED.' },
  ...JobEvent.options.map((event) => {
    const type = event.shape.type.value;
    return {
      name: `JobEventMessage.${type}`,
      schema: JobEventMessage.extend({ event }),
      place: 'EVENTS',
      subject: subjects.event(JOB, type),
      writer: type === 'TaskStarted' || type === 'TryFailed' ? 'the agent at work' : 'repo-manager',
      about: 'A fact about a job.',
    };
  }),
  {
    name: 'LogBatch',
    schema: LogBatch,
    place: 'LOGS',
    subject: subjects.log(JOB, TASK),
    writer: 'coder, reviewer',
    about: 'What a runner said within 100 ms.',
  },
  {
    name: 'DeadLetter',
    schema: DeadLetter,
    place: 'DEAD',
    subject: subjects.deadLetters.replace('*', '<role>'),
    writer: 'coder, reviewer, repo-manager',
    about: 'A message that nobody could handle, with the reason.',
  },
  {
    name: 'BundleNeed',
    schema: BundleNeed,
    place: 'core',
    subject: subjects.bundleNeed,
    writer: 'coder, reviewer',
    about: 'A request for a bundle.',
  },
  {
    name: 'BundleAnswer',
    schema: BundleAnswer,
    place: 'core',
    subject: 'the reply',
    writer: 'repo-manager',
    about: 'Where that bundle lies.',
  },
  {
    name: 'Job',
    schema: Job,
    place: 'jobs',
    subject: JOB,
    writer: 'repo-manager',
    about: 'The truth about a job; changed by compare-and-set only.',
  },
  {
    name: 'Claim',
    schema: Claim,
    place: 'claims',
    subject: TASK,
    writer: 'the agent that took the task, repo-manager',
    about: 'Who has a task.',
  },
  { name: 'Lock', schema: Lock, place: 'locks', subject: '<repoKey>.<base>', writer: 'repo-manager', about: 'Who may merge into a base.' },
  {
    name: 'Heartbeat',
    schema: Heartbeat,
    place: 'agents',
    subject: '<agentId>',
    writer: 'each its own',
    about: "An agent's sign of life, every second.",
  },
];

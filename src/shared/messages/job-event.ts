import { z } from 'zod';
import { JobEvent } from '../domain/event.ts';
import { Instant, JobId } from '../domain/ids.ts';
import { envelope } from './envelope.ts';

/** A fact about a job as it goes through EVENTS. */
export const JobEventMessage = z.strictObject({ ...envelope, jobId: JobId, at: Instant, event: JobEvent });
export type JobEventMessage = z.infer<typeof JobEventMessage>;

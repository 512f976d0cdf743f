import { z } from 'zod';
import { BranchName, Feature, Repository, Workflow } from '../domain/feature.ts';
import { Instant, JobId } from '../domain/ids.ts';
import { Priority } from '../domain/priority.ts';
import { envelope } from './envelope.ts';

/** What a user hands over. Stored once a job in REQUESTS; the server's acknowledgement of it is "stored". */
export const FeatureRequest = z.strictObject({
  ...envelope,
  type: z.literal('FeatureRequest'),
  jobId: JobId,
  /** Makes a resubmission the same job. */
  key: z.string().min(1).max(200).optional(),
  priority: Priority,
  repository: Repository,
  /** The base branch; absent means the repository's HEAD. */
  branch: BranchName.optional(),
  feature: Feature,
  workflow: Workflow,
  submittedAt: Instant,
});
export type FeatureRequest = z.infer<typeof FeatureRequest>;

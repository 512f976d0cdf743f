import { z } from 'zod';
import { CommitId } from './ids.ts';

/** Where a git bundle lies in the object store. Its key is not here: that travels in the task's message alone. */
export const BundleRef = z.strictObject({
  /** `<repoKey>/<taskId>.<n>.<agentId>.<random>.<in|out|wip>`: what it is, who stored it, and which time. */
  name: z
    .string()
    .max(300)
    // An earlier version's has no agent and no random part: it is not found, and made again.
    .regex(
      /^[a-z0-9][a-z0-9-]*\/job-[0-9A-Z]{26}\.(implement|review)\.\d+\.\d+(\.[0-9a-z]+)?(\.(repo-manager|coder|reviewer)-\d+\.[0-9a-f]{32})?\.(in|out|wip)$/,
    ),
  /** Of the bytes as they are stored. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  sizeBytes: z.number().int().nonnegative(),
  /** The commit the bundle brings. */
  tip: CommitId,
});
export type BundleRef = z.infer<typeof BundleRef>;

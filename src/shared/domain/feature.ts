import { z } from 'zod';

/** What is asked for, in the user's words. */
export const Feature = z.strictObject({
  title: z.string().trim().min(1).max(200),
  description: z.string().max(100_000),
  requirements: z.array(z.string().trim().min(1).max(4_000)).max(200),
  acceptanceCriteria: z.array(z.string().trim().min(1).max(4_000)).max(200),
});
export type Feature = z.infer<typeof Feature>;

export const MergePolicy = z.enum(['auto', 'manual']);
export type MergePolicy = z.infer<typeof MergePolicy>;

/** How the job is carried out. */
export const Workflow = z.strictObject({
  /** `auto` merges what the reviewer approved; `manual` waits for a person. */
  merge: MergePolicy,
  /** Review rounds before the job gives up; conflict rounds do not count. */
  maxRounds: z.number().int().min(1).max(50),
  /** No further task is sent out once the job has cost this much (US dollars). */
  maxCostUsd: z.number().positive().optional(),
  /** The longest one run of a runner may take (milliseconds); a coder has up to three in a round. */
  timeoutMs: z
    .number()
    .int()
    .min(1_000)
    .max(24 * 3_600_000),
});
export type Workflow = z.infer<typeof Workflow>;

export const DEFAULT_WORKFLOW = { merge: 'auto', maxRounds: 3, timeoutMs: 3_600_000 } as const satisfies Workflow;

const ABSOLUTE_PATH = /^\/(?!(?:.*\/)?\.\.(?:\/|$))[^\0-\x1f\x7f]*$/;
/** No userinfo, port, query or fragment, no address in place of a name: what is in it reaches logs, and a forge's client. */
const FORGE_URL = /^https:\/\/[a-z0-9](?:[a-z0-9-]*\.)+[a-z]{2,}\/[A-Za-z0-9_.-]+\/[A-Za-z0-9_.-]+$/;

/** Where the change goes. `url` identifies it: an absolute path for `local`, an https URL for a forge. */
export const Repository = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('local'),
    url: z.string().max(4_096).regex(ABSOLUTE_PATH, 'not an absolute path without ".." and control characters'),
  }),
  z.strictObject({
    kind: z.literal('github'),
    url: z
      .string()
      .max(2_048)
      .regex(FORGE_URL, 'not an https URL of the form https://<host>/<owner>/<repository>')
      // A client would go elsewhere (`/o/..`), or nowhere at all (a host that is no valid punycode).
      .refine((url) => URL.canParse(url) && new URL(url).href === url, 'not a URL as it is written in full'),
  }),
]);
export type Repository = z.infer<typeof Repository>;

/** A branch name by our own pattern, narrower than git's: `git check-ref-format` alone takes `a;b`. */
export const BranchName = z
  .string()
  .max(200)
  .regex(/^(?!-)(?!.*(?:\.\.|\/\/|\.lock(?:\/|$)|\/\.|\.\/))[A-Za-z0-9_][A-Za-z0-9._/+@-]*(?<![./])$/, 'not a branch name we accept')
  .refine(
    (name) => name !== '@' && !name.startsWith('refs/') && name !== 'HEAD' && name !== 'multi-agent' && !name.startsWith('multi-agent/'),
    'this branch name is reserved',
  );
export type BranchName = z.infer<typeof BranchName>;

/** A command of the repository's settings: a line that is split into words (no shell), or the words themselves. */
export const SettingsCommand = z.union([z.string().trim().min(1).max(2_000), z.array(z.string().max(2_000)).min(1).max(100)]);
export type SettingsCommand = z.infer<typeof SettingsCommand>;

const Commands = z.array(SettingsCommand).max(20);
const CommonSettings = {
  /** The longest one setup or check command may run (milliseconds). */
  timeoutMs: z
    .number()
    .int()
    .min(1_000)
    .max(24 * 3_600_000)
    .default(600_000),
  /** Names of environment variables of the daemon that setup, checks and runners of this repository may see. */
  env: z
    .array(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/))
    .max(50)
    .default([]),
};

/** `.multi-agent.json` on the base branch. Without `checks` they are detected; `[]` are none. */
export const SettingsFile = z.strictObject({ setup: Commands.optional(), checks: Commands.optional(), ...CommonSettings });
export type SettingsFile = z.infer<typeof SettingsFile>;

/** How a repository is set up and checked. */
export const RepositorySettings = z.strictObject({
  setup: Commands.default([]),
  checks: Commands.default([]),
  ...CommonSettings,
  /** Nobody wrote the checks down: they are what the files of the repository suggest. */
  detected: z.boolean().optional(),
});
export type RepositorySettings = z.infer<typeof RepositorySettings>;

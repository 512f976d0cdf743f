/** One step of a scripted runner; see `tests/support/programs/script.mjs`. */
export type Step =
  | { readonly say: string }
  | { readonly complain: string }
  | { readonly tellEnvironment: true }
  | { readonly write: { readonly path: string; readonly text: string } }
  | { readonly append: { readonly path: string; readonly text: string } }
  | { readonly remove: string }
  | { readonly resolve: true }
  | { readonly waitFor: string }
  | { readonly exitUnless: { readonly path: string; readonly code: number } }
  | { readonly hang: true }
  | { readonly talkForEver: true }
  /** Megabytes. */
  | { readonly flood: number }
  /** Where the pid of the child goes. */
  | { readonly leaveBehind: string }
  | { readonly exit: number }
  | { readonly verdict: Verdict };

export interface Verdict {
  readonly decision: string;
  readonly summary: string;
  readonly comments?: readonly { readonly path: string; readonly line: number; readonly severity: string; readonly body: string }[];
}

/** What is done in the runs that match; the first part that does counts. */
export interface Part {
  readonly when?: { readonly round?: number; readonly attempt?: number; readonly try?: number; readonly conflict?: boolean };
  readonly steps: readonly Step[];
}

/** A job's description: what its runners do. A role without a part writes a file a round, and approves. */
export interface Script {
  readonly coder?: readonly Part[];
  readonly reviewer?: readonly Part[];
}

/** One run of a scripted runner, as it wrote it down. */
export interface Run {
  readonly role: 'coder' | 'reviewer';
  readonly jobId: string;
  readonly taskId: string;
  readonly round: number;
  readonly attempt: number;
  readonly try: number;
  readonly conflict: boolean;
  readonly pid: number;
  readonly at: number;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly prompt: string;
  readonly context: {
    readonly checks?: readonly { readonly command: string; readonly passed: boolean; readonly output: string }[];
    readonly conflicts?: readonly { readonly path: string }[];
    readonly diff?: string;
    readonly reviews: readonly {
      readonly decision: string;
      readonly summary: string;
      readonly comments: readonly { readonly body: string }[];
    }[];
  };
}

export const APPROVE: Step = { verdict: { decision: 'APPROVE', summary: 'fine' } };

/** A file that the change brings. */
export function writes(path: string, text = `${path}\n`): Step {
  return { write: { path, text } };
}

import type { WrapCommand } from '../run-process.ts';

/** What of the machine a run in a sandbox is given, beside the system's own programs. */
export interface SandboxPlace {
  /** Folders it may write: they are shown where they are. */
  readonly writable: readonly string[];
  /** Folders it may read. */
  readonly readable?: readonly string[];
  /** The operator's command line: its program, and every absolute path in it, can be read. Never words that come out of a repository. */
  readonly operatorWords?: readonly string[];
}

/** The way into a sandbox for one run. */
export interface SandboxedRun {
  readonly wrap: WrapCommand;
  /** Home and temporary folder inside, in memory and empty; undefined where there is no inside: whoever runs something gives it its own. */
  readonly folders: { readonly home: string; readonly tmp: string } | undefined;
}

/** Where code of a repository, and whatever a runner starts, is run. */
export interface Sandbox {
  /** For people: `bubblewrap 0.8.0`, or what stands in its place. */
  readonly description: string;
  /** False: whatever is run can do what the daemon's user can. */
  readonly isolates: boolean;
  /** Why nothing is run at all, and what to do about it. */
  readonly refusal?: string;
  /**
   * Makes ready for a run; what it leaves in the writable folders may belong to another user afterwards.
   *
   * @throws TerminalError `no_sandbox` where nothing may be run
   */
  enter(place: SandboxPlace): Promise<SandboxedRun>;
}

/** What the operator asked for with `MULTI_AGENT_UNSAFE_NO_SANDBOX=1`. */
export const UNSAFE: Sandbox = {
  description: 'none (MULTI_AGENT_UNSAFE_NO_SANDBOX=1): what is run can do whatever the daemon can',
  isolates: false,
  enter: () => Promise.resolve({ wrap: (command) => command, folders: undefined }),
};

import type { WrapCommand } from '../../process/run-process.ts';
import type { RunnerTask } from '../runner.ts';

/** Where a CLI reaches its model, and as whom. */
export interface ModelAccess {
  /** As the CLI sees it: inside the sandbox. */
  readonly baseUrl: string;
  /** Reaches the CLI by its environment alone, and is taken out of all it says. */
  readonly key: string;
}

/** The way to a model, open for one run. */
export interface OpenedModel extends ModelAccess {
  /** What the way needs inside the sandbox: a socket, a program. */
  readonly readable: readonly string[];
  readonly writable: readonly string[];
  /** Starts the CLI together with what it needs inside the sandbox. */
  readonly wrap: WrapCommand;
  /** Closes the way; never throws. */
  close(): Promise<void>;
}

/** Opens the way to the model for a run; throws what keeps the run from being started. */
export type OpenModel = (task: RunnerTask) => Promise<OpenedModel>;

const SHORTEST_KEY = 6;
const REDACTED = '[redacted]';

/** Takes the key of a run out of whatever the CLI says: a tool of it may print its environment. */
export function withoutKey(key: string | undefined): (text: string) => string {
  if (key === undefined || key.length < SHORTEST_KEY) return (text) => text;
  return (text) => text.replaceAll(key, REDACTED);
}

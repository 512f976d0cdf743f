import type { WrapCommand } from '../process/run-process.ts';
import type { Sandbox, SandboxedRun, SandboxPlace } from '../process/sandbox/sandbox.ts';
import { openWayOut, type WayOutOptions } from './open-gateway.ts';

/** Where code of a repository, and whatever a runner starts, is run, and what of the world it reaches. */
export interface Confinement extends WayOutOptions {
  readonly sandbox: Sandbox;
}

/** What a run in it is started with. */
export interface Confined {
  readonly wrap: WrapCommand;
  /** The variables that lead to the models and out of the sandbox. */
  readonly environment: Readonly<Record<string, string>>;
  readonly folders: SandboxedRun['folders'];
}

/**
 * Opens the sandbox and the way out of it for as long as `use` runs something.
 *
 * @throws TerminalError `no_sandbox`, and what `use` throws
 */
export async function confine<T>(confinement: Confinement, place: SandboxPlace, use: (confined: Confined) => Promise<T>): Promise<T> {
  const wayOut = await openWayOut(confinement);
  try {
    const readable = [...(place.readable ?? []), ...wayOut.readable];
    const { wrap, folders } = await confinement.sandbox.enter({ ...place, readable });
    return await use({ wrap: (command) => wrap(wayOut.wrap(command)), environment: wayOut.environment, folders });
  } finally {
    await wayOut.close();
  }
}

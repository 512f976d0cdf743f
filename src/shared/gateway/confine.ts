import type { WrapCommand } from '../process/run-process.ts';
import { REDACTED } from '../telemetry/redact.ts';
import type { Sandbox, SandboxedRun, SandboxPlace } from '../process/sandbox/sandbox.ts';
import { openWayOut, type WayOutOptions } from './open-gateway.ts';

/** Where code of a repository, and whatever a runner starts, is run, and what of the world it reaches. */
export interface Confinement extends WayOutOptions {
  readonly sandbox: Sandbox;
}

/** What a run in it is started with. */
export interface Confined {
  readonly wrap: WrapCommand;
  /** Takes the run's token out of what it says. */
  readonly redact: (text: string) => string;
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
  const confined = await openConfined(confinement, place);
  try {
    return await use(confined);
  } finally {
    await confined.close();
  }
}

/** The same for who runs several things in it: to be closed. */
export async function openConfined(confinement: Confinement, place: SandboxPlace): Promise<Confined & { close(): Promise<void> }> {
  const { environment, token, readable, wrap: wrapOut, close } = await openWayOut(confinement);
  try {
    const { wrap, folders } = await confinement.sandbox.enter({ ...place, readable: [...(place.readable ?? []), ...readable] });
    const redact = (text: string): string => (token === undefined ? text : text.replaceAll(token, REDACTED));
    return { wrap: (command) => wrap(wrapOut(command)), environment, folders, redact, close };
  } catch (error) {
    await close();
    throw error;
  }
}

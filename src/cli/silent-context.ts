import { type CliContext } from './context.ts';
import { createHost } from './host.ts';

/** A context for who only wants to look at the definitions of the commands: nothing is ever written or interrupted. */
export function silentContext(): CliContext {
  const output = { write: () => undefined, isTty: false, columns: 80 };
  return createHost({ env: {}, cwd: '/', stdout: output, stderr: output, now: () => 0, interrupted: new AbortController().signal }).context;
}

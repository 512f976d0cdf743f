import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';

/** Runs a program to its end. @returns what it said on stdout @throws Error when it exits otherwise than 0 */
export function run(command, args, options = {}) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024, ...options });
  if (error) throw error;
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} exited ${String(status)}: ${stderr}${stdout}`);
  return stdout;
}

/** The same without holding up what else goes on here. */
export async function runAside(command, args, options = {}) {
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'], ...options });
  let stderr = '';
  child.stderr.on('data', (chunk) => (stderr += chunk));
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} exited ${String(code)}: ${stderr}`);
}

/** Ends a child, gently first. */
export async function endChild(child, patienceMs = 20_000) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), patienceMs);
  await ended;
  clearTimeout(timer);
}

/** Waits for what `look` gives, looked for every few milliseconds. */
export async function until(look, { withinMs = 60_000, everyMs = 5, what = 'what was waited for' } = {}) {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const found = await look();
    if (found) return found;
    if (performance.now() > deadline) throw new Error(`${what} did not come within ${String(withinMs)} ms`);
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}

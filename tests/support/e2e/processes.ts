import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

/** Pids of the living processes whose environment, or command line, names the path: those of the home that lies there. */
export function processesOf(path: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => isLiving(pid) && (read(pid, 'environ').includes(path) || read(pid, 'cmdline').includes(path)))
    .map(Number)
    .filter((pid) => pid !== process.pid);
}

export function isAlive(pid: number): boolean {
  return isLiving(String(pid));
}

/** The environment a process was started with. */
export function environmentOf(pid: number): string {
  return read(String(pid), 'environ').replaceAll('\0', '\n');
}

/** Ends what is left, by pid; for the end of a test that may have failed. */
export async function endProcessesOf(path: string): Promise<void> {
  for (let left = processesOf(path); left.length > 0; left = processesOf(path)) {
    for (const pid of left) endOne(pid);
    await delay(20);
  }
}

/** Waits for a condition; throws with `what` when it has not come true in `withinMs`. */
export async function eventually<T>(
  what: string,
  look: () => T | undefined | false | Promise<T | undefined | false>,
  withinMs = 60_000,
): Promise<T> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > deadline) throw new Error(`not within ${withinMs} ms: ${what}`);
    await delay(50);
  }
}

function endOne(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended meanwhile.
  }
}

function isLiving(pid: string): boolean {
  return !/^State:\s+[ZX]/m.test(read(pid, 'status') || 'State: X');
}

function read(pid: string, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}

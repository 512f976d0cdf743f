import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';

const GRACE_MS = 3000;
const POLL_MS = 50;

/** The ids of the processes that carry one of these `NAME=value` in their environment, this one left out. Needs /proc: elsewhere, none. */
export function processesWith(variables) {
  return readEntries('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => pid !== process.pid && isRunning(pid) && variables.some((variable) => environmentOf(pid).includes(variable)));
}

/**
 * Ends the processes that `find` gives, and after 3 s kills what is left. Looks again until there is none: a supervisor that is about to end
 * may just have started another. Gives the ids of all it met; what is still there after 6 s stays.
 */
export async function endProcesses(find) {
  const met = new Set();
  const startedAt = Date.now();
  for (let pids = find(); pids.length > 0; pids = find()) {
    const elapsed = Date.now() - startedAt;
    if (elapsed > 2 * GRACE_MS) break;
    for (const pid of pids) {
      if (elapsed > GRACE_MS) signal(pid, 'SIGKILL');
      else if (!met.has(pid)) signal(pid, 'SIGTERM');
      met.add(pid);
    }
    await pause(POLL_MS);
  }
  return [...met];
}

/** A zombie has ended: somebody only has not asked for its exit status yet. */
export function isRunning(pid) {
  if (pid === undefined || Number.isNaN(pid)) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    return error.code === 'EPERM';
  }
  return !/^State:\s+[ZX]/m.test(readText(`/proc/${pid}/status`));
}

const environmentOf = (pid) => readText(`/proc/${pid}/environ`).split('\0');

function signal(pid, name) {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended meanwhile, which is what was wanted.
  }
}

function readText(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function readEntries(folder) {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

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

/** Ends processes, and after 3 s kills what is left of them. Gives the ids it was asked to end. */
export async function endProcesses(pids) {
  for (const pid of pids) signal(pid, 'SIGTERM');
  const deadline = Date.now() + GRACE_MS;
  while (pids.some(isRunning) && Date.now() < deadline) await pause(POLL_MS);
  for (const pid of pids.filter(isRunning)) signal(pid, 'SIGKILL');
  while (pids.some(isRunning) && Date.now() < deadline + GRACE_MS) await pause(POLL_MS);
  return pids;
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

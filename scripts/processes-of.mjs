import { readdirSync, readFileSync } from 'node:fs';

/**
 * The processes (not this one) that were started with `folder` somewhere in their environment or their arguments: `{ pid, command }`. Only
 * where there is a `/proc` with environments in it; elsewhere, none.
 */
export function processesOf(folder) {
  return pids()
    .filter((pid) => pid !== process.pid && (read(pid, 'environ').includes(folder) || read(pid, 'cmdline').includes(folder)))
    .map((pid) => ({ pid, command: read(pid, 'cmdline').replaceAll('\0', ' ').trim() }));
}

/** Ends them with SIGKILL. @returns what they were */
export function endProcessesOf(folder) {
  const ended = processesOf(folder);
  for (const { pid } of ended) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch (error) {
      // It has ended by itself meanwhile.
      if (error.code !== 'ESRCH') throw error;
    }
  }
  return ended;
}

function pids() {
  try {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number);
  } catch {
    return [];
  }
}

/** Empty for one that is gone, and for one of another user. */
function read(pid, file) {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1');
  } catch {
    return '';
  }
}

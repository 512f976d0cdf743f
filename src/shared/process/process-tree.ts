import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { DEFAULT_GRACE_MS, type EndLimits, endProcesses, othersThan } from './end-processes.ts';
import { carriesMark, type Mark } from './mark.ts';
import { hasProcessTable, listProcesses, type ProcessEntry, readProcess } from './process-table.ts';

/** All processes of one run. */
export interface ProcessTree {
  /** Ends what is left of it and settles when nothing is. Gives the pids that could not be ended. */
  end(limits?: EndLimits): Promise<number[]>;
}

/**
 * The tree of a process that leads its own session. To it belongs what is in its session or group, what carries the
 * mark, and what descends from any of these: so also what called `setsid`, forked twice, or cleared its environment
 * while its parent lives. (Only a pid namespace holds what does all of that at once; that is the sandbox's work.)
 *
 * To be called right after the start, while the leader's pid cannot have been used again. Without /proc it is the
 * group alone.
 */
export function createProcessTree(leaderPid: number, mark: Mark): ProcessTree {
  if (!hasProcessTable()) return { end: (limits) => endGroup(leaderPid, limits) };
  const startTicks = readProcess(leaderPid)?.startTicks ?? 0;
  const belongs = (entry: ProcessEntry): boolean => entry.session === leaderPid || entry.group === leaderPid || carriesMark(entry, mark);
  return {
    end: (limits) =>
      endProcesses(() => {
        const younger = othersThan(process.pid, listProcesses()).filter((entry) => entry.startTicks >= startTicks);
        return withDescendants(younger.filter(belongs), younger);
      }, limits),
  };
}

function withDescendants(roots: readonly ProcessEntry[], entries: readonly ProcessEntry[]): ProcessEntry[] {
  const found = new Map(roots.map((entry) => [entry.pid, entry]));
  for (let before = -1; before !== found.size;) {
    before = found.size;
    for (const entry of entries) if (found.has(entry.parent)) found.set(entry.pid, entry);
  }
  return [...found.values()];
}

/** Ends a process group where there is no /proc to look into. Gives the group's id if something of it is left. */
export async function endGroup(group: number, limits: EndLimits = {}): Promise<number[]> {
  const killAt = performance.now() + (limits.graceMs ?? DEFAULT_GRACE_MS);
  const giveUpAt = killAt + (limits.giveUpMs ?? DEFAULT_GRACE_MS);
  for (let signal: NodeJS.Signals | 0 = 'SIGTERM'; signalGroup(group, signal);) {
    const now = performance.now();
    if (now >= giveUpAt) return [group];
    signal = now >= killAt ? 'SIGKILL' : 0;
    await sleep(20);
  }
  return [];
}

function signalGroup(group: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(-group, signal);
  } catch {
    return false;
  }
}

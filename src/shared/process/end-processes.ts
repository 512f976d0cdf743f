import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { carriesPrefix } from './mark.ts';
import { isSameLiving, listProcesses, type ProcessEntry } from './process-table.ts';

/** How long processes are given to end. */
export interface EndLimits {
  /** Between SIGTERM and SIGKILL (milliseconds, default 2,000). */
  readonly graceMs?: number | undefined;
  /** After the first SIGKILL; what is left then is stuck in the kernel or another user's (milliseconds, default 30,000). */
  readonly giveUpMs?: number | undefined;
}

export const DEFAULT_GRACE_MS = 2_000;
const DEFAULT_GIVE_UP_MS = 30_000;
const MAX_POLL_MS = 100;

/**
 * Ends every process whose environment carries `MULTI_AGENT_RUN=<markPrefix>...`, wherever it went (`setsid`, a double
 * fork), and settles when none is left. For the start and the stop of an agent: `endMarkedProcesses('coder-1:', { system:
 * home })`. Never ends this process or one it descends from. Gives the pids that it ended; what is stuck in the kernel
 * is not among them.
 *
 * `system`, where given, spares processes that do not carry this installation's name.
 *
 * Linux only: elsewhere a process's environment cannot be read, and nothing is done.
 */
export async function endMarkedProcesses(
  markPrefix: string,
  options: EndLimits & { readonly system?: string | undefined } = {},
): Promise<number[]> {
  if (markPrefix === '') return [];
  const seen = new Set<number>();
  const find = (): ProcessEntry[] => {
    const found = othersThan(process.pid, listProcesses()).filter((entry) => carriesPrefix(entry, markPrefix, options.system));
    for (const { pid } of found) seen.add(pid);
    return found;
  };
  const left = await endProcesses(find, options);
  return [...seen].filter((pid) => !left.includes(pid));
}

/**
 * Ends what `find` finds: SIGTERM once each, then, after the grace, SIGKILL again and again until `find` finds nothing.
 * Gives the pids that are left when it gives up.
 */
export async function endProcesses(find: () => readonly ProcessEntry[], limits: EndLimits = {}): Promise<number[]> {
  const killAt = performance.now() + (limits.graceMs ?? DEFAULT_GRACE_MS);
  const giveUpAt = killAt + (limits.giveUpMs ?? DEFAULT_GIVE_UP_MS);
  const asked = new Set<string>();
  for (let pollMs = 2; ; pollMs = Math.min(2 * pollMs, MAX_POLL_MS)) {
    const found = find();
    const now = performance.now();
    if (found.length === 0) return [];
    if (now >= giveUpAt) return found.map((entry) => entry.pid);
    for (const entry of found) {
      if (now >= killAt) signalProcess(entry, 'SIGKILL');
      else askOnce(entry, asked);
    }
    await sleep(now >= killAt ? pollMs : Math.min(pollMs, Math.max(1, killAt - now)));
  }
}

/** All but `pid` and its ancestors. */
export function othersThan(pid: number, entries: readonly ProcessEntry[]): ProcessEntry[] {
  const parents = new Map(entries.map((entry) => [entry.pid, entry.parent]));
  const spared = new Set<number>();
  for (
    let current: number | undefined = pid;
    current !== undefined && current > 0 && !spared.has(current);
    current = parents.get(current)
  ) {
    spared.add(current);
  }
  return entries.filter((entry) => !spared.has(entry.pid));
}

function askOnce(entry: ProcessEntry, asked: Set<string>): void {
  const name = `${String(entry.pid)}.${String(entry.startTicks)}`;
  if (asked.has(name)) return;
  asked.add(name);
  signalProcess(entry, 'SIGTERM');
}

/** The pid may have been used again since `entry` was read: it is looked at once more, right before the signal. */
function signalProcess(entry: ProcessEntry, signal: NodeJS.Signals): void {
  if (!isSameLiving(entry)) return;
  try {
    process.kill(entry.pid, signal);
  } catch {
    // Ended meanwhile (ESRCH), or not ours to end (EPERM): the next look tells.
  }
}

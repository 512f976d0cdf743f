import { existsSync, readFileSync, readdirSync } from 'node:fs';

/** One process as the kernel shows it. `pid` and `startTicks` together name it for good: a pid alone is used again. */
export interface ProcessEntry {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
  readonly session: number;
  /** One letter of proc(5): `Z` and `X` are dead. */
  readonly state: string;
  /** Clock ticks between the boot and its start. */
  readonly startTicks: number;
}

/** Whether the kernel shows its processes in /proc (Linux). */
export function hasProcessTable(): boolean {
  return existsSync('/proc/self/stat');
}

/**
 * Whether the process runs, by its state: a zombie (what nobody waited for, common in containers without an init) is
 * not alive, though a signal 0 reaches it. Without /proc: by signal 0, for processes of this user.
 */
export function isAlive(pid: number): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 0) return false;
  if (hasProcessTable()) return isLiving(readProcess(pid));
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** All processes that run, zombies left out. Empty without /proc. */
export function listProcesses(): ProcessEntry[] {
  if (!hasProcessTable()) return [];
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => readProcess(Number(name)))
    .filter((entry) => isLiving(entry));
}

/** The process as it is now, or undefined where there is none. Also shows a zombie. */
export function readProcess(pid: number): ProcessEntry | undefined {
  const stat = readProcFile(pid, 'stat')?.toString('latin1');
  if (stat === undefined) return undefined;
  // The name (second field) may hold spaces and parentheses: everything after the last one is regular.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const numberAt = (index: number): number => Number(fields[index] ?? Number.NaN);
  return { pid, state: fields[0] ?? 'X', parent: numberAt(1), group: numberAt(2), session: numberAt(3), startTicks: numberAt(19) };
}

/** Whether the very process still runs. */
export function isSameLiving(entry: ProcessEntry): boolean {
  const now = readProcess(entry.pid);
  return isLiving(now) && now.startTicks === entry.startTicks;
}

/**
 * The values that the named variables had when the process was started. Empty where it may not be read (another
 * user's process) or has ended.
 */
export function readVariables(pid: number, names: readonly string[]): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  const environ = readProcFile(pid, 'environ');
  if (environ === undefined || !names.some((name) => environ.includes(`${name}=`))) return found;
  for (const variable of environ.toString('utf8').split('\0')) {
    const name = variable.slice(0, variable.indexOf('='));
    if (names.includes(name)) found.set(name, variable.slice(name.length + 1));
  }
  return found;
}

function isLiving(entry: ProcessEntry | undefined): entry is ProcessEntry {
  return entry !== undefined && entry.state !== 'Z' && entry.state !== 'X';
}

/** Undefined where the process has ended (ENOENT, ESRCH) or may not be read (EACCES). */
function readProcFile(pid: number, name: string): Buffer | undefined {
  try {
    return readFileSync(`/proc/${String(pid)}/${name}`);
  } catch {
    return undefined;
  }
}

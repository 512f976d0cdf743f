import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

/** What a process, and those of its children that have ended, used of the processors so far (seconds); what it has in memory. */
export interface Usage {
  readonly cpuSeconds: number;
  readonly rssBytes: number;
}

/** The unit of /proc/<pid>/stat (proc(5)). */
const TICKS_PER_SECOND = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

/** By what a process is called: `repo-manager-1`, `coder-1`, ..., `nats-server`. */
export type Processes = ReadonlyMap<string, number>;

/** The daemons of a home (`AGENT_ID` in their environment). */
export function daemonsOf(home: string): Map<string, number> {
  const found = new Map<string, number>();
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    const variables = read(pid, 'environ').split('\0');
    const id = variables.find((variable) => variable.startsWith('AGENT_ID='))?.slice('AGENT_ID='.length);
    // Runners and git processes do not get that variable.
    if (id !== undefined && variables.includes(`MULTI_AGENT_HOME=${home}`)) found.set(id, Number(pid));
  }
  return found;
}

export function usageOf(processes: Processes): Map<string, Usage> {
  return new Map([...processes].map(([name, pid]) => [name, usageOfOne(String(pid))]));
}

/** Sums by role: `coder-1` and `coder-2` are `coder`. */
export function cpuByRole(before: ReadonlyMap<string, Usage>, after: ReadonlyMap<string, Usage>): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const [name, usage] of after) {
    const role = name.replace(/-\d+$/, '');
    sums[role] = (sums[role] ?? 0) + usage.cpuSeconds - (before.get(name)?.cpuSeconds ?? 0);
  }
  return sums;
}

function usageOfOne(pid: string): Usage {
  // The name in brackets may have spaces; utime, stime, cutime, cstime are fields 14 to 17, rss is 24.
  const fields = read(pid, 'stat')
    .replace(/^.*\) /, '')
    .split(' ')
    .map(Number);
  const ticks = fields.slice(11, 15).reduce((sum, value) => sum + value, 0);
  const rssKib = Number(/^VmRSS:\s+(\d+) kB/m.exec(read(pid, 'status'))?.[1] ?? 0);
  return { cpuSeconds: ticks / TICKS_PER_SECOND, rssBytes: rssKib * 1024 };
}

function read(pid: string, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}

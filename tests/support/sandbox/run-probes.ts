import { existsSync, readFileSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { runProcess } from '../../../src/shared/process/run-process.ts';
import type { Sandbox } from '../../../src/shared/process/sandbox/sandbox.ts';
import { type Probe, traceOf } from './probe.ts';
import type { Stage } from './stage.ts';

export interface ProbeResult {
  readonly name: string;
  readonly escaped: boolean;
  /** For people: what it said. */
  readonly said: string;
}

const AT_A_TIME = 4;
const LONGEST_MS = 20_000;
const ESCAPED = /^ESCAPED$/m;

/** Runs each as a runner would be run, some of them at a time. */
export async function runProbes(probes: readonly Probe[], sandbox: Sandbox, stage: Stage): Promise<ProbeResult[]> {
  const left = [...probes];
  const results: ProbeResult[] = [];
  const work = async (): Promise<void> => {
    for (let probe = left.shift(); probe !== undefined; probe = left.shift()) results.push(await runProbe(probe, sandbox, stage));
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, work));
  return results;
}

async function runProbe(probe: Probe, sandbox: Sandbox, stage: Stage): Promise<ProbeResult> {
  const place = await makePlace(stage, traceOf(probe));
  const { wrap, folders } = await sandbox.enter({ writable: [place.workspace, place.scratch], readable: [stage.objects] });
  const own = { HOME: folders?.home ?? place.scratch, WORKSPACE: place.workspace, SCRATCH: place.scratch, PROBE: traceOf(probe) };
  const { stdout, stderr } = await runProcess({
    argv: probe.program,
    cwd: place.workspace,
    environment: { set: { ...stage.variables, ...own }, from: {} },
    mark: 'coder-1:1',
    system: stage.home,
    wallMs: LONGEST_MS,
    graceMs: 200,
    maxOutputBytes: 10_000,
    wrap,
  });
  const trace = join(stage.outside, traceOf(probe));
  const escaped = ESCAPED.test(stdout) || existsSync(trace) || probe.seenOutside?.({ survivor: stage.survivor, ...place }) === true;
  await Promise.all([rm(trace, { force: true }), rm(place.root, { recursive: true })]);
  return { name: probe.name, escaped, said: `${stdout}${stderr}`.trim() };
}

/** Folders as an agent makes them for a task. */
async function makePlace({ home }: Stage, name: string): Promise<Record<'root' | 'scratch' | 'workspace', string>> {
  const root = join(home, 'worktrees', `${name}.coder-1`);
  const place = { root, workspace: join(root, 'tree'), scratch: join(root, 'scratch') };
  for (const folder of [place.workspace, place.scratch]) await mkdir(folder, { recursive: true, mode: 0o700 });
  return place;
}

/** Root with all that root can do: in a container it may well not be. */
export function isFullRoot(): boolean {
  const effective = /^CapEff:\s*([0-9a-f]+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0';
  return process.getuid?.() === 0 && NEEDED.every((bit) => ((BigInt(`0x${effective}`) >> BigInt(bit)) & 1n) === 1n);
}

/** Of linux/capability.h: those that the probes need, from CAP_DAC_READ_SEARCH to CAP_SYSLOG. */
const NEEDED = [2, 13, 18, 19, 21, 22, 25, 27, 34];

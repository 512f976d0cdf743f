import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { messageOf } from '../../../src/shared/errors/errors.ts';
import type { Harm } from './armed-point.ts';
import type { BuiltPrograms } from '../built-programs.ts';
import { faultsAfter } from './oracle.ts';
import { type CrashPoint, nameOf } from './points.ts';
import { type CrashSystem, type CrashSystemOptions, startCrashSystem, type SubmittedJob } from './system.ts';

const LAST_WORDS = 25;

export interface PointResult {
  readonly fired: boolean;
  /** What the oracle found wrong; the last lines of the daemon's log with it. */
  readonly faults: readonly string[];
  readonly seconds: number;
}

export interface RunOptions extends CrashSystemOptions {
  /** Systems at work side by side. Default 2: most of the time they wait. */
  readonly systems?: number;
  readonly harm?: Harm;
  /** What happens after the job was submitted and the point has gone off. */
  readonly afterwards?: (system: CrashSystem, point: CrashPoint, job: SubmittedJob) => Promise<void>;
  /** How long a job may take to end (milliseconds). */
  readonly withinMs?: number;
}

/** Runs a job for each point, its daemon harmed there; several systems share the points. Gives the results by the points' names. */
export async function runPoints(
  built: BuiltPrograms,
  points: readonly CrashPoint[],
  options: RunOptions = {},
): Promise<Map<string, PointResult>> {
  const results = new Map<string, PointResult>();
  const queue = [...points];
  const work = async (): Promise<void> => {
    let system: CrashSystem | undefined;
    for (let point = queue.shift(); point !== undefined; point = queue.shift()) {
      system ??= await startCrashSystem(built, options);
      const result = await runPoint(system, point, options);
      for (const one of allOf(point)) results.set(nameOf(one), { ...result, fired: system.hasFired(one.role) });
      for (const { role } of allOf(point)) system.disarm(role);
      if (process.env['CRASH_TIMES'] === '2') process.stderr.write(lastWords(system, point).join('\n'));
      if (process.env['CRASH_TIMES'] !== undefined) process.stderr.write(`${String(result.seconds)} s ${nameOf(point)}\n`);
      if (result.faults.length === 0 && allOf(point).every((one) => results.get(nameOf(one))?.fired === true)) continue;
      // What one point broke must not count against the next.
      await system.stop();
      system = undefined;
    }
    await system?.stop();
  };
  await Promise.all(Array.from({ length: Math.min(options.systems ?? 2, points.length) }, work));
  return results;
}

/** A point, and those that share its job. */
function allOf(point: CrashPoint): readonly CrashPoint[] {
  return [point, ...(point.also ?? [])];
}

async function runPoint(system: CrashSystem, point: CrashPoint, options: RunOptions): Promise<Omit<PointResult, 'fired'>> {
  const startedAt = performance.now();
  if (point.given === 'landed') system.arm(point.role, { call: 'forge land', at: 'after', harm: 'kill' });
  else if (point.given === 'stopped-in-run') system.hold(point.role === 'coder' ? 'hold' : 'hold-review');
  else for (const one of allOf(point)) system.arm(one.role, { ...one, harm: options.harm ?? 'kill' });
  if (point.given === 'coder-killed') system.arm('coder', { call: 'runner run', at: 'before', harm: 'kill' });
  const found = await runJob(system, point, options).catch((error: unknown) => [messageOf(error)]);
  const together = point.also?.map((one) => `with it: ${nameOf(one)}`) ?? [];
  const faults = found.length === 0 ? [] : [...found, ...together, ...lastWords(system, point)];
  return { faults, seconds: Math.round((performance.now() - startedAt) / 100) / 10 };
}

async function runJob(system: CrashSystem, point: CrashPoint, options: RunOptions): Promise<string[]> {
  const job = await system.submit(point.rounds ? { rounds: point.rounds } : {});
  if (point.given === 'stopped-in-run') await stopInRun(system, point, job);
  if (point.given === 'landed') await armOnceFired(system, point);
  if (point.given === 'agents-late') await keepAgentsLate(system, point, job);
  await options.afterwards?.(system, point, job);
  return faultsAfter(system, job, options.withinMs);
}

/** Asked to stop while its runner works, a daemon without time hands its task back: the point is on that way. */
async function stopInRun(system: CrashSystem, point: CrashPoint, { id }: SubmittedJob): Promise<void> {
  const word = point.role === 'coder' ? 'start' : 'review';
  await waitFor(() => system.runs().some((line) => line.startsWith(`${word} ${id}`)));
  system.arm(point.role, { ...point, harm: 'kill' });
  system.daemon(`${point.role}-1`).signal('SIGTERM');
  await waitFor(() => system.hasFired(point.role)).catch(() => undefined);
  system.letGo(point.role === 'coder' ? 'hold' : 'hold-review');
}

/** Its next incarnation is harmed too. */
async function armOnceFired(system: CrashSystem, point: CrashPoint): Promise<void> {
  await waitFor(() => system.hasFired(point.role));
  system.arm(point.role, { ...point, harm: 'kill' });
}

/** The agent of the task is paused until the killed repo-manager has recorded that the task is out. */
async function keepAgentsLate(system: CrashSystem, { role, call }: CrashPoint, { id }: SubmittedJob): Promise<void> {
  const agent = system.daemon(call.includes('coder') ? 'coder-1' : 'reviewer-1');
  agent.signal('SIGSTOP');
  try {
    await waitFor(() => system.hasFired(role));
    await waitFor(async () => {
      const job = await system.job(id);
      return agent.id.startsWith(job?.task?.role ?? 'none') && job?.task?.streamSeq !== undefined;
    });
  } finally {
    agent.signal('SIGCONT');
  }
}

/** Waits until the condition holds. @throws after `withinMs` (default 60,000) */
export async function waitFor(condition: () => boolean | Promise<boolean>, withinMs = 60_000): Promise<void> {
  const giveUpAt = performance.now() + withinMs;
  while (!(await condition())) {
    if (performance.now() > giveUpAt) throw new Error(`not within ${String(withinMs)} ms`);
    await delay(20);
  }
}

/** The end of the logs of the role that was harmed, for who has to find out why. */
function lastWords(system: CrashSystem, { role }: CrashPoint): string[] {
  const logs = join(system.home, 'logs');
  const lines = readdirSync(logs)
    .filter((name) => name.startsWith(role))
    .flatMap((name) => readFileSync(join(logs, name), 'utf8').trimEnd().split('\n'));
  return ['', ...lines.slice(-LAST_WORDS).map((line) => line.slice(0, 700))];
}

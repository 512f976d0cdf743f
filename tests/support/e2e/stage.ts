import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type CliResult, cli, type RunningCli, startCli } from './cli.ts';
import { createRepository, type Files, type TestRepository } from './repository.ts';
import type { Run, Script } from './script.ts';
import { ErrorShape, type JobJson, JobShape } from './shapes.ts';

type Env = Readonly<Record<string, string>>;

/** What a scenario plays on: a folder and a repository of its own, on a system that may be shared. */
export interface Stage {
  readonly folder: string;
  readonly env: Env;
  readonly repository: TestRepository;
  /** `multi-agent <args>`. */
  cli(...args: readonly string[]): Promise<CliResult>;
  startCli(...args: readonly string[]): RunningCli;
  /** Submits a job that plays this script. @returns the job as it was printed */
  submit(script: Script, ...flags: readonly string[]): Promise<JobJson>;
  /** The same with `--wait`. @returns the job as it ended, and the exit code */
  run(script: Script, ...flags: readonly string[]): Promise<{ readonly code: number | null; readonly job: JobJson }>;
  /** The arguments of `submit-feature` for this script. */
  submission(script: Script, ...flags: readonly string[]): string[];
  /** The job once it is as asked. */
  when(id: string, is: (job: JobJson) => boolean, withinMs?: number): Promise<JobJson>;
  /** The job once it has ended. */
  ended(id: string, withinMs?: number): Promise<JobJson>;
  /** What the runners wrote down, in order; of one job, or of all. */
  runs(id?: string): Run[];
  /** A file that a step can wait for. */
  gate(name: string): { readonly path: string; open(): void };
}

/** How often it is looked for. */
const LOOK_EVERY_MS = 100;
const WITHIN_MS = 150_000;
const UNREACHABLE = 3;

export function createStage(env: Env, folder: string, files?: Files): Stage {
  mkdirSync(folder, { recursive: true });
  return stageOf(env, folder, createRepository(join(folder, 'repository'), files));
}

/** The same with a repository that is there already. */
export function stageOf(env: Env, folder: string, repository: TestRepository): Stage {
  mkdirSync(folder, { recursive: true });
  const journal = join(folder, 'journal.jsonl');
  const submission = (script: Script, ...flags: readonly string[]): string[] => {
    const description = JSON.stringify({ journal, ...script });
    const title = flags.includes('--title') ? [] : ['--title', 'A feature'];
    return ['submit-feature', '--json', '--repo', repository.path, ...title, '--description', description, ...flags];
  };
  const when: Stage['when'] = (id, is, withinMs = WITHIN_MS) => watch(env, id, is, withinMs);
  return {
    folder,
    env,
    repository,
    submission,
    cli: (...args) => cli(env, ...args),
    startCli: (...args) => startCli(env, ...args),
    submit: async (script, ...flags) => {
      const result = await cli(env, ...submission(script, ...flags));
      if (result.code !== 0) throw new Error(`submit-feature: exit ${String(result.code)}\n${result.stdout}${result.stderr}`);
      return JobShape.parse(result.json());
    },
    run: async (script, ...flags) => {
      const result = await cli(env, ...submission(script, '--wait', ...flags));
      return { code: result.code, job: JobShape.parse(result.json()) };
    },
    when,
    ended: (id, withinMs) => when(id, isEnded, withinMs),
    runs: (id) => readRuns(journal).filter(({ jobId }) => id === undefined || jobId === id),
    gate: (name) => {
      const path = join(folder, `gate-${name}`);
      return {
        path,
        open: () => {
          writeFileSync(path, '');
        },
      };
    },
  };
}

function isEnded({ status }: JobJson): boolean {
  return status === 'COMPLETED' || status === 'FAILED' || status === 'CANCELLED';
}

/** Follows `job-status --watch` until the job is as asked: one process, however long it takes. */
async function watch(env: Env, id: string, is: (job: JobJson) => boolean, withinMs: number): Promise<JobJson> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const found = await watchOnce(env, id, is, deadline);
    if (found !== 'unreachable') return found;
  }
}

/** `unreachable`: the server did not answer within five seconds, as may be on a machine that has too much to do. */
async function watchOnce(env: Env, id: string, is: (job: JobJson) => boolean, deadline: number): Promise<JobJson | 'unreachable'> {
  const watching = startCli(env, 'job-status', id, '--watch', '--json');
  const state = { isOver: false };
  void watching.ended.then(() => {
    state.isOver = true;
  });
  try {
    for (let seen = 0; ;) {
      // Asked before reading: what was printed last is read once more after the end.
      const { isOver } = state;
      const lines = watching.stdout().split('\n').slice(0, -1);
      const found = lines
        .slice(seen)
        .flatMap((line) => jobOf(line) ?? [])
        .find(is);
      if (found) return found;
      seen = lines.length;
      const isLate = performance.now() > deadline;
      if (isOver && !isLate && watching.child.exitCode === UNREACHABLE) return 'unreachable';
      if (isOver || isLate) throw new Error(`the job is not as waited for: ${lines.at(-1) ?? ''}${watching.stderr()}`);
      await delay(LOOK_EVERY_MS);
    }
  } finally {
    watching.child.kill('SIGKILL');
    await watching.ended;
  }
}

/** A line of `--watch`: a job, or at the end an error, which is none. */
function jobOf(line: string): JobJson | undefined {
  const document: unknown = JSON.parse(line);
  return ErrorShape.safeParse(document).success ? undefined : JobShape.parse(document);
}

function readRuns(journal: string): Run[] {
  try {
    const lines = readFileSync(journal, 'utf8').split('\n').slice(0, -1);
    return lines.map((line) => JSON.parse(line) as Run);
  } catch {
    return [];
  }
}

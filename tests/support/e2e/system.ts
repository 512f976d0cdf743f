import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createTestHome, type TestHome } from '../pm2-home.ts';
import { type RunningCli, startCli } from './cli.ts';
import { endProcessesOf } from './processes.ts';
import { UpShape } from './shapes.ts';

const program = (name: string): string => `${process.execPath} ${fileURLToPath(new URL(`../programs/${name}`, import.meta.url))}`;

/** A home of its own with the scripted runners; nothing runs in it yet. */
export async function createScriptedHome(extra: Readonly<Record<string, string>> = {}): Promise<TestHome> {
  return createTestHome({
    CODER_COMMAND: program('scripted-coder.mjs'),
    REVIEWER_COMMAND: program('scripted-reviewer.mjs'),
    MULTI_AGENT_UNSAFE_NO_SANDBOX: '1',
    // A runner that lives as long as its test would otherwise hold up the end.
    MULTI_AGENT_DRAIN_MS: '500',
    ...extra,
  });
}

/** The daemons of a home, run by `up --foreground`. */
export interface TestSystem {
  readonly home: TestHome;
  readonly env: Readonly<Record<string, string>>;
  readonly supervisor: RunningCli;
  /** Ends the daemons, as Ctrl-C does. @returns the exit code of `up` */
  stop(): Promise<number | null>;
}

const READY_WITHIN_MS = 60_000;
const STOP_WITHIN_MS = 30_000;

/** Starts the daemons of a home; ready when this resolves. */
export async function startSystem(home: TestHome, agents: { readonly coders: number; readonly reviewers: number }): Promise<TestSystem> {
  const counts = ['--coders', String(agents.coders), '--reviewers', String(agents.reviewers)];
  const supervisor = startCli(home.env, 'up', '--foreground', '--json', ...counts);
  await untilReady(supervisor);
  return {
    home,
    env: home.env,
    supervisor,
    stop: async () => {
      supervisor.child.kill('SIGTERM');
      const ended = await Promise.race([supervisor.ended, delay(STOP_WITHIN_MS, undefined, { ref: false })]);
      return ended?.code ?? null;
    },
  };
}

/** Ends everything of a home, whatever state it is in, and removes it. */
export async function removeHome(home: TestHome): Promise<void> {
  await endProcessesOf(home.folder);
  await home.remove();
}

async function untilReady({ child, stdout, stderr, ended }: RunningCli): Promise<void> {
  const deadline = performance.now() + READY_WITHIN_MS;
  while (!stdout().includes('\n') && child.exitCode === null && performance.now() < deadline) await delay(50);
  const ready = UpShape.safeParse(documentOf(stdout()));
  if (ready.success) return;
  child.kill('SIGKILL');
  await ended;
  throw new Error(`the system did not start: ${stdout()}${stderr()}`);
}

function documentOf(stdout: string): unknown {
  try {
    return JSON.parse(stdout);
  } catch {
    return undefined;
  }
}

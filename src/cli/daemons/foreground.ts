import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { removeRuntime, writeRuntime } from '../../shared/config/runtime.ts';
import { InvalidInputError } from '../../shared/errors/errors.ts';
import { withFileLock } from '../../shared/lifecycle/file-lock.ts';
import { createScope, type Scope } from '../../shared/lifecycle/scope.ts';
import { connectNats } from '../../shared/messaging/connection.ts';
import { clearPort, waitForEmbeddedServer } from '../../shared/nats-server/embedded.ts';
import { createPm2, scrubbedEnvironment } from '../../shared/pm2/client.ts';
import { busyAgents } from './heartbeats.ts';
import { prepare, type Plan, type UpOptions } from './prepare.ts';
import { waitUntilReady } from './ready.ts';
import { prepareServer, provision } from './server.ts';
import { supervise, type Supervised } from './supervisor.ts';

export interface ForegroundOptions extends UpOptions {
  /** Called once, when the heartbeats say ready. */
  readonly onReady?: (plan: Plan) => void;
}

/**
 * Runs the whole set as children of this process, without PM2, until SIGINT or SIGTERM: for containers and systemd. Children that end are
 * started again. The first signal drains, the second ends at once, SIGUSR2 (`down --drain`) waits for running tasks. NATS ends last.
 *
 * @throws InvalidInputError `already_running` while PM2 has the system.
 */
export async function runForeground(options: ForegroundOptions): Promise<void> {
  const plan = await prepare(options);
  const scope = createScope();
  const asked = signalsOf(scope);
  try {
    const agents = await withFileLock(plan.paths.upLock, () => startAll(plan, options, scope));
    const ready = waitReady(plan, options, asked.aborted);
    await Promise.race([asked.first, ready.then(() => asked.first)]);
    if (asked.wantsDrain()) await drain(agents, plan, asked);
    asked.onSecond(() => {
      for (const agent of agents) agent.signal('SIGINT');
    });
  } finally {
    await scope.close();
  }
}

async function startAll(plan: Plan, options: ForegroundOptions, scope: Scope): Promise<Supervised[]> {
  const { paths, connection } = plan;
  await refusePm2(options);
  const env = scrubbedEnvironment({ home: paths.home, env: options.env });
  const supervision = { env, ...(options.log ? { log: options.log } : {}) };
  const { url, embedded, nkeyFile, credsFile, tls } = connection;
  const files = Object.fromEntries(Object.entries({ nkeyFile, credsFile, ...tls }).filter(([, value]) => value !== undefined));
  scope.add(() => removeRuntime(paths));
  await writeRuntime(paths, {
    url,
    embedded,
    ...files,
    supervisor: 'foreground',
    supervisorPid: process.pid,
    agents: plan.agents.map(({ id }) => id),
    names: {},
    pids: {},
  });
  if (plan.nats !== undefined) await startServer(plan, plan.nats, supervision, scope);
  await provision(plan, options);
  const agents = plan.agents.map((spec) => supervise(spec, supervision));
  scope.add(async () => {
    await Promise.all(agents.map((agent) => agent.end()));
  });
  return agents;
}

async function startServer(
  plan: Plan,
  spec: NonNullable<Plan['nats']>,
  options: Parameters<typeof supervise>[1],
  scope: Scope,
): Promise<void> {
  const { paths, port } = plan;
  await clearPort(paths, port);
  await prepareServer(plan);
  const server = supervise(spec, options);
  scope.add(() => server.end());
  await waitForEmbeddedServer(paths, port);
}

async function waitReady(plan: Plan, options: ForegroundOptions, signal: AbortSignal): Promise<void> {
  const nc = await connectNats({ ...plan.connection, name: 'multi-agent up' });
  try {
    await waitUntilReady(nc, plan, signal);
    options.onReady?.(plan);
  } finally {
    await nc.close();
  }
}

async function refusePm2({ config, env }: UpOptions): Promise<void> {
  const running = await createPm2({ home: config.home, env }).list();
  if (running.length === 0) return;
  throw new InvalidInputError('already_running', ['PM2 has the system already; end it with "multi-agent down" first']);
}

interface Asked {
  /** Settles with the first signal. */
  readonly first: Promise<void>;
  /** Aborted by the first signal. */
  readonly aborted: AbortSignal;
  readonly wantsDrain: () => boolean;
  /** Has a signal to end come, other than SIGUSR2? */
  readonly wantsEnd: () => boolean;
  onSecond(listener: () => void): void;
}

function signalsOf(scope: Scope): Asked {
  const controller = new AbortController();
  const seen: NodeJS.Signals[] = [];
  let second: () => void = () => undefined;
  const listener = (signal: NodeJS.Signals): void => {
    seen.push(signal);
    if (seen.length === 1) controller.abort();
    else second();
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGUSR2'] as const;
  // The CLI's own listeners would end the process two seconds after the first signal, in the middle of a drain.
  for (const signal of signals) process.removeAllListeners(signal);
  for (const signal of signals) process.on(signal, listener);
  scope.add(() => {
    for (const signal of signals) process.off(signal, listener);
  });
  return {
    first: once(controller.signal, 'abort').then(() => undefined),
    aborted: controller.signal,
    wantsDrain: () => seen[0] === 'SIGUSR2' && seen.length === 1,
    wantsEnd: () => seen.some((signal) => signal !== 'SIGUSR2'),
    onSecond: (listener) => (second = listener),
  };
}

async function drain(agents: readonly Supervised[], plan: Plan, asked: Asked): Promise<void> {
  for (const agent of agents) agent.signal('SIGUSR2');
  const nc = await connectNats({ ...plan.connection, name: 'multi-agent up' });
  try {
    const isBusy = async (): Promise<boolean> =>
      (
        await busyAgents(
          nc,
          agents.flatMap((agent) => agent.pid() ?? []),
        )
      ).length > 0;
    while (!asked.wantsEnd() && (await isBusy())) await delay(250);
  } finally {
    await nc.close();
  }
}

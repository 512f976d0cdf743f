import { createHash } from 'node:crypto';
import { homeHash } from '../config/home.ts';

/** A process to be kept running, by PM2 or by `up --foreground`. */
export interface ProcessSpec {
  /** `nats`, or the agent's id. */
  readonly id: string;
  /** A binary with its arguments, or a Node program. */
  readonly script: string;
  readonly args: readonly string[];
  /** Does Node run it? */
  readonly node: boolean;
  /** All the environment it needs besides PATH, HOME and LANG. */
  readonly env: Readonly<Record<string, string>>;
  /** Where its stderr goes. */
  readonly errorFile: string;
  /** How long it may take to end after SIGINT before it is killed, in ms. */
  readonly killTimeoutMs: number;
  /** What else it depends on, its role file for instance: another text here means that it has to be restarted. */
  readonly depends: string;
}

/** An app as PM2 wants it. */
export type Pm2App = Readonly<Record<string, unknown>> & { readonly name: string };

/** The variable by which a running process tells with which spec it was started. */
export const SPEC_VARIABLE = 'MULTI_AGENT_SPEC';

/** A process's name in PM2: two homes never share one. */
export function pm2NameOf(home: string, id: string): string {
  return `${pm2Prefix(home)}${id}`;
}

export function pm2Prefix(home: string): string {
  return `ma-${homeHash(home)}-`;
}

/** Stands for everything about a spec: when it differs, the process has to be started anew. */
export function specHash(spec: ProcessSpec): string {
  return createHash('sha256').update(JSON.stringify(spec)).digest('hex').slice(0, 16);
}

/** How long PM2's own `start` waits for `ready`; `up` believes heartbeats only, so this is no promise. */
const LISTEN_TIMEOUT_MS = 10_000;

export function toPm2App(home: string, spec: ProcessSpec): Pm2App {
  return {
    name: pm2NameOf(home, spec.id),
    script: spec.script,
    args: [...spec.args],
    cwd: home,
    interpreter: spec.node ? process.execPath : 'none',
    exec_mode: 'fork',
    env: { ...spec.env, [SPEC_VARIABLE]: specHash(spec) },
    // An agent writes a log of its own, rotated; what it says on stdout is the same once more.
    out_file: '/dev/null',
    error_file: spec.errorFile,
    kill_timeout: spec.killTimeoutMs,
    // PM2 would signal the runner's processes too, and so end at once what should drain. An agent ends them itself.
    treekill: false,
    autorestart: true,
    exp_backoff_restart_delay: 100,
    ...(spec.node ? NODE_ONLY : {}),
  };
}

/** V8's young generation otherwise grows to tens of megabytes before a daemon that idles most of its life collects anything. */
export const NODE_ARGUMENTS: readonly string[] = ['--max-semi-space-size=2'];

const NODE_ONLY = {
  node_args: [...NODE_ARGUMENTS],
  wait_ready: true,
  listen_timeout: LISTEN_TIMEOUT_MS,
  max_memory_restart: '1G',
  // PM2's own modules inside the daemon: memory and start-up time for nothing we use.
  pmx: false,
  disable_source_map_support: true,
  // No `stop_exit_codes: [0]`: PM2 reports an app killed by SIGKILL as exit 0, and would leave it dead.
} as const;

import type { NatsConnection } from '@nats-io/transport-node';
import type { Config, Environment } from '../shared/config/load.ts';
import type { Connection } from '../shared/config/connection.ts';
import type { Identity } from '../shared/messaging/permissions.ts';

/** Where a command writes. */
export interface Output {
  write(text: string): void;
  readonly isTty: boolean;
  /** Characters a line; 80 where it is no terminal. */
  readonly columns: number;
}

/**
 * What a command has of the world outside: one object, so that tests give another. `main.ts` makes it; nothing of it is opened before
 * it is asked for.
 */
export interface CliContext {
  readonly env: Environment;
  readonly cwd: string;
  readonly stdout: Output;
  readonly stderr: Output;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Was `--json` given? Known as soon as an action runs. */
  readonly json: () => boolean;
  /** What `--nats` said. */
  readonly natsFlag: () => string | undefined;
  /** May there be colours on this output? A terminal and no NO_COLOR (https://no-color.org). */
  readonly colours: (output: Output) => boolean;
  /** Aborted by the first SIGINT or SIGTERM. */
  readonly interrupted: AbortSignal;
  /** The typed configuration. @throws InvalidInputError `bad_config` */
  config(): Promise<Config>;
  /** Where NATS is: `--nats`, environment, runtime.json, default. */
  connection(): Promise<Connection>;
  /**
   * The connection to NATS, made once and closed by `main.ts` after the command; given up after 5 s.
   * @throws UnreachableError
   */
  connect(options?: ConnectOptions): Promise<NatsConnection>;
  /** One JSON document on stdout. */
  printJson(value: unknown): void;
  /** A line for people on stdout. Never together with `--json`. */
  print(line: string): void;
  /** Chatter: a line on stderr, whether `--json` or not. */
  note(line: string): void;
  /** Makes the process end with this code once the action has returned. For faults throw instead: `main.ts` says and codes them. */
  exitWith(code: ExitCode): void;
}

export interface ConnectOptions {
  /** Reconnect for ever once connected, for what follows a job. Default: gives up after a while. */
  readonly follow?: boolean;
  /** Who connects, where there are several users. Default: the operator. */
  readonly identity?: Identity;
}

/** The exit codes scripts rely on. */
export const EXIT = {
  done: 0,
  failed: 1,
  badInput: 2,
  unreachable: 3,
  notFound: 4,
  cancelled: 5,
  waitingForApproval: 6,
  interrupted: 130,
} as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

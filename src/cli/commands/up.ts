import type { Command } from 'commander';
import type { Config } from '../../shared/config/load.ts';
import { InvalidInputError } from '../../shared/errors/errors.ts';
import type { CliContext } from '../context.ts';
import { startSpinner } from '../spinner.ts';
import type { AgentCounts } from '../daemons/numbering.ts';
import type { UpOptions } from '../daemons/prepare.ts';

interface Flags {
  readonly repoManagers?: string;
  readonly coders?: string;
  readonly reviewers?: string;
  readonly foreground?: boolean;
}

const MOST_AGENTS = 100;

/** `up`: starts what is not running yet, and returns when the heartbeats say ready. */
export function register(program: Command, io: CliContext): void {
  program
    .command('up')
    .description('Start NATS and the agents, or bring them up to date.')
    .option(
      '--repo-managers <n>',
      'How many repo-managers. Default: as many as run already, else 1. 0: only agents, for a system elsewhere.',
    )
    .option('--coders <n>', 'How many coders. Default: as many as run already, else 1.')
    .option('--reviewers <n>', 'How many reviewers. Default: as many as run already, else 1.')
    .option('--foreground', 'Run here, without PM2, until interrupted.')
    .action(async (flags: Flags) => {
      const config = await io.config();
      const options = upOptions(config, io, countFlags(flags));
      noteMissingRunners(config, io);
      if (flags.foreground === true) await foreground(options, io);
      else await underPm2(options, io);
    });
}

/** What `up` and `restart` have in common. */
export function upOptions(config: Config, io: CliContext, counts: Partial<AgentCounts> = {}): UpOptions {
  const log = (message: string): void => io.note(message);
  return { config, env: io.env, natsFlag: io.natsFlag(), log, signal: io.interrupted, ...counts };
}

/** Brings the system up under PM2 and says what was done. */
export async function underPm2(options: UpOptions, io: CliContext): Promise<void> {
  const { up } = await import('../daemons/up.ts');
  const spinner = await startSpinner(io);
  const outcome = await up({ ...options, log: spinner.say }).finally(() => {
    spinner.stop();
  });
  if (io.json()) {
    const { url, embedded } = outcome.connection;
    io.printJson({ nats: { url, embedded }, agents: outcome.agents, started: outcome.started, stopped: outcome.stopped });
    return;
  }
  const changed = outcome.started.length === 0 ? 'already running' : `started ${outcome.started.join(', ')}`;
  const stopped = outcome.stopped.length === 0 ? '' : `; stopped ${outcome.stopped.join(', ')}`;
  io.print(`up: ${outcome.agents.join(', ')} on ${outcome.connection.url} (${changed}${stopped})`);
}

async function foreground(options: UpOptions, io: CliContext): Promise<void> {
  const { runForeground } = await import('../daemons/foreground.ts');
  await runForeground({
    ...options,
    onReady: ({ connection, agents }) => {
      const ids = agents.map(({ id }) => id);
      if (io.json()) io.printJson({ nats: { url: connection.url, embedded: connection.embedded }, agents: ids, started: ids, stopped: [] });
      else io.print(`up: ${ids.join(', ')} on ${connection.url}; Ctrl-C ends it`);
    },
  });
}

function countFlags(flags: Flags): Partial<AgentCounts> {
  const faults: string[] = [];
  const count = (name: keyof AgentCounts, flag: string): Partial<AgentCounts> => {
    const text = flags[name];
    if (text === undefined) return {};
    if (/^\d{1,3}$/.test(text) && Number(text) <= MOST_AGENTS) return { [name]: Number(text) };
    faults.push(`--${flag} must be a number from 0 to ${String(MOST_AGENTS)} (it is ${JSON.stringify(text)})`);
    return {};
  };
  const counts = { ...count('repoManagers', 'repo-managers'), ...count('coders', 'coders'), ...count('reviewers', 'reviewers') };
  if (faults.length > 0) throw new InvalidInputError('bad_input', faults);
  return counts;
}

function noteMissingRunners(config: Config, io: CliContext): void {
  if (config.unsafeNoSandbox)
    io.note('NO SANDBOX (MULTI_AGENT_UNSAFE_NO_SANDBOX=1): runners, setup and checks can do whatever your user can');
  if (config.coderRunner === undefined)
    io.note('the coders have no runner: set CODER_COMMAND (or CODER_RUNNER), then "multi-agent up" again');
  if (config.reviewerRunner === undefined)
    io.note('the reviewers have no runner: set REVIEWER_COMMAND (or REVIEWER_RUNNER), then "multi-agent up" again');
}

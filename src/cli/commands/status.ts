import type { Command } from 'commander';
import { EXIT, type CliContext, type ExitCode } from '../context.ts';
import type { AgentStatus, SystemStatus } from '../daemons/status.ts';

/** `status`: NATS and the agents, by their heartbeats. Exit 0 healthy, 3 when NATS or every agent is out of reach, 1 when some agent is. */
export function register(program: Command, io: CliContext): void {
  program
    .command('status')
    .description('Show NATS and the agents. Exit 0: healthy, 1: an agent is silent, 3: nothing can be reached.')
    .action(async () => {
      const status = await statusOfSystem(io);
      if (io.json()) io.printJson(status);
      else for (const line of statusLines(status)) io.print(line);
      io.exitWith(exitCodeOf(status));
    });
}

/** The status as the context's connection sees it. */
export async function statusOfSystem(io: CliContext): Promise<SystemStatus> {
  const { readStatus } = await import('../daemons/status.ts');
  const config = await io.config();
  return readStatus({ home: config.home, connection: await io.connection(), connect: () => io.connect() });
}

/** 0 healthy; 3 when NATS or every agent is out of reach; else 1. */
export function exitCodeOf({ healthy, nats, agents }: SystemStatus): ExitCode {
  if (healthy) return EXIT.done;
  return nats.connected && agents.some((agent) => agent.healthy) ? EXIT.failed : EXIT.unreachable;
}

/** The status as lines for people. */
export function statusLines({ nats, agents, error }: SystemStatus): string[] {
  const server = `${nats.url}${nats.embedded ? ' (embedded)' : ''}`;
  const head = nats.connected ? `NATS ${nats.version ?? ''} at ${server}: connected` : `NATS at ${server}: not reachable`;
  const rows = agents.map(rowOf);
  const widths = COLUMNS.map((_, index) => Math.max(...[COLUMNS, ...rows].map((row) => (row[index] ?? '').length)));
  const table = [COLUMNS, ...rows].map((row) =>
    row
      .map((cell, index) => cell.padEnd(widths[index] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  return [head, ...(error ? [error.message] : []), ...(agents.length === 0 ? ['no agents; "multi-agent up" starts them'] : ['', ...table])];
}

const COLUMNS = ['AGENT', 'STATE', 'HEALTHY', 'TASK', 'DONE', 'FAILED', 'RSS', 'PID', 'RUNNER'];

function rowOf(agent: AgentStatus): string[] {
  return [
    agent.id,
    agent.state,
    agent.healthy ? 'yes' : 'NO',
    agent.currentTask ?? '-',
    String(agent.tasksProcessed),
    String(agent.tasksFailed),
    `${String(Math.round(agent.rssBytes / 1_000_000))} MB`,
    String(agent.pid ?? '-'),
    agent.runner ?? '-',
  ];
}

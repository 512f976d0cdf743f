import type { Command } from 'commander';
import { EXIT, type CliContext } from '../context.ts';
import { statusOfSystem } from './status.ts';

/** `health`: one word for scripts and probes. Exit 0 healthy or degraded, 1 unhealthy, 3 when NATS is out of reach. */
export function register(program: Command, io: CliContext): void {
  program
    .command('health')
    .description("Healthy, degraded or unhealthy. Exit 0, 0 and 1; 3: NATS can't be reached.")
    .action(async () => {
      const { healthOf } = await import('../daemons/status.ts');
      const status = await statusOfSystem(io);
      const health = healthOf(status);
      const silent = status.agents.filter((agent) => !agent.healthy).map((agent) => agent.id);
      if (io.json()) io.printJson({ status: health, nats: status.nats, silent, ...(status.error ? { error: status.error } : {}) });
      else
        io.print(
          [health, ...(silent.length > 0 ? [`silent: ${silent.join(', ')}`] : []), ...(status.error ? [status.error.message] : [])].join(
            '; ',
          ),
        );
      if (!status.nats.connected) io.exitWith(EXIT.unreachable);
      else io.exitWith(health === 'unhealthy' ? EXIT.failed : EXIT.done);
    });
}

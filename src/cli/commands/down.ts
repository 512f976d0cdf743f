import type { Command } from 'commander';
import type { CliContext } from '../context.ts';

/** `down`: ends this home's daemons, and NATS last; jobs stay stored and go on at the next `up`. */
export function register(program: Command, io: CliContext): void {
  program
    .command('down')
    .description('Stop the agents and NATS; open jobs go on at the next "up".')
    .option('--drain', 'Wait until running tasks are done, however long they take.')
    .action(async (flags: { drain?: boolean }) => {
      const { down } = await import('../daemons/down.ts');
      const log = (message: string): void => io.note(message);
      const stopped = await down({ config: await io.config(), env: io.env, drain: flags.drain === true, log, signal: io.interrupted });
      if (io.json()) io.printJson({ stopped });
      else io.print(stopped.length === 0 ? 'nothing was running' : `stopped ${stopped.join(', ')}`);
    });
}

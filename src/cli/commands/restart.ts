import type { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { underPm2, upOptions } from './up.ts';

/** `restart`: every agent anew, with role files from the present environment; NATS only where its settings changed. */
export function register(program: Command, io: CliContext): void {
  program
    .command('restart')
    .description('Start the agents anew, with the present configuration.')
    .action(async () => {
      await underPm2({ ...upOptions(await io.config(), io), force: true }, io);
    });
}

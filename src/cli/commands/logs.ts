import type { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { examples } from '../definitions.ts';

export function register(program: Command, io: CliContext): void {
  program
    .command('logs')
    .description('Print what the runners and checks of a job said (with --json: a JSON line each).')
    .argument('<id>', 'The job.')
    .option('--follow', 'Go on until the job has ended.')
    .addHelpText('after', examples('multi-agent logs job-01J9ZQ6Y3V8K2W5T7R4N1M0XCE --follow'))
    .action(async (id: string, flags: { follow?: boolean }) => {
      const { logs } = await import('../actions/logs.ts');
      await logs(io, id, flags);
    });
}

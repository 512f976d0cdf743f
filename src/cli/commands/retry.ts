import type { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { examples } from '../definitions.ts';

export function register(program: Command, io: CliContext): void {
  program
    .command('retry')
    .description('Let a job that failed or was stopped go on from its branch, with its limits granted once more.')
    .argument('<id>', 'The job.')
    .addHelpText('after', examples('multi-agent retry job-01J9ZQ6Y3V8K2W5T7R4N1M0XCE'))
    .action(async (id: string) => {
      const { retry } = await import('../actions/retry.ts');
      await retry(io, id);
    });
}

import type { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { examples } from '../definitions.ts';

export function register(program: Command, io: CliContext): void {
  program
    .command('reject')
    .description('Send the change a job waits with back for another round on the same branch.')
    .argument('<id>', 'The job.')
    .option('--comment <text>', 'What should be otherwise, or @file. Required.')
    .addHelpText('after', examples('multi-agent reject job-01J9ZQ6Y3V8K2W5T7R4N1M0XCE --comment "Keep the old flag working"'))
    .action(async (id: string, flags: { comment?: string }) => {
      const { reject } = await import('../actions/reject.ts');
      await reject(io, id, flags);
    });
}

import type { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { examples } from '../definitions.ts';

export function register(program: Command, io: CliContext): void {
  program
    .command('job-status')
    .description('Show a job as it is. With --watch as it goes on, to its end; the exit code then says how it ended.')
    .argument('<id>', 'The job.')
    .option('--watch', 'Follow the job until it has ended (with --json: a JSON line a state).')
    .addHelpText(
      'after',
      examples('multi-agent job-status job-01J9ZQ6Y3V8K2W5T7R4N1M0XCE', 'multi-agent job-status job-01J9ZQ6Y3V8K2W5T7R4N1M0XCE --watch'),
    )
    .action(async (id: string, flags: { watch?: boolean }) => {
      const { jobStatus } = await import('../actions/job-status.ts');
      await jobStatus(io, id, flags);
    });
}

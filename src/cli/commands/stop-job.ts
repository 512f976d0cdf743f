import type { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { examples } from '../definitions.ts';

export function register(program: Command, io: CliContext): void {
  program
    .command('stop-job')
    .description('Stop a job. Its branch is kept. Exit 0 for one that is stopped or has failed already, 1 for one that is merged.')
    .argument('<id>', 'The job.')
    .addHelpText('after', examples('multi-agent stop-job job-01J9ZQ6Y3V8K2W5T7R4N1M0XCE'))
    .action(async (id: string) => {
      const { stopJob } = await import('../actions/stop-job.ts');
      await stopJob(io, id);
    });
}

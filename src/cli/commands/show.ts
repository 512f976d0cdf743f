import type { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { examples } from '../definitions.ts';

export function register(program: Command, io: CliContext): void {
  program
    .command('show')
    .description('Show all there is about a job: request, diff, verdicts, checks, cost, what it waits for.')
    .argument('<id>', 'The job.')
    .addHelpText(
      'after',
      examples('multi-agent show job-01J9ZQ6Y3V8K2W5T7R4N1M0XCE', 'multi-agent show job-01J9ZQ6Y3V8K2W5T7R4N1M0XCE --json | jq -r .diff'),
    )
    .action(async (id: string) => {
      const { show } = await import('../actions/show.ts');
      await show(io, id);
    });
}

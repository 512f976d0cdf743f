import type { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { examples } from '../definitions.ts';

export function register(program: Command, io: CliContext): void {
  program
    .command('approve')
    .description('Approve the change a job waits with. Refused (exit 2) when its head is another than the one approved.')
    .argument('<id>', 'The job.')
    .option('--head <sha>', 'The commit that is approved, at least 7 digits of it. Default: the head at this moment.')
    .addHelpText('after', examples('multi-agent approve job-01J9ZQ6Y3V8K2W5T7R4N1M0XCE --head 3f9c2a17'))
    .action(async (id: string, flags: { head?: string }) => {
      const { approve } = await import('../actions/approve.ts');
      await approve(io, id, flags);
    });
}

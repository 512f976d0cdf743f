import type { Command } from 'commander';
import type { ListFlags } from '../actions/list-jobs.ts';
import type { CliContext } from '../context.ts';
import { collected, examples } from '../definitions.ts';

export function register(program: Command, io: CliContext): void {
  program
    .command('list-jobs')
    .description('List jobs, newest first.')
    .option('--status <status>', 'Only jobs of this status; may be repeated.', collected)
    .option('--needs-me', 'Only jobs that wait for a person.')
    .option('--limit <n>', 'How many at most. Default: 20.')
    .option('--before <next>', 'Go on where an earlier list ended: its "next".')
    .addHelpText(
      'after',
      examples(
        'multi-agent list-jobs',
        'multi-agent list-jobs --needs-me',
        'multi-agent list-jobs --status FAILED --status CANCELLED --limit 100 --json',
      ),
    )
    .action(async (flags: ListFlags) => {
      const { listJobs } = await import('../actions/list-jobs.ts');
      await listJobs(io, flags);
    });
}

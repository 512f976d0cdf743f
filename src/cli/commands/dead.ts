import type { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { examples } from '../definitions.ts';

export function register(program: Command, io: CliContext): void {
  const dead = program
    .command('dead')
    .description('Messages nobody could handle, with the reason.')
    .addHelpText('after', examples('multi-agent dead list', 'multi-agent dead retry 17', 'multi-agent dead drop 17'));
  dead
    .command('list')
    .description('List them, newest first.')
    .option('--limit <n>', 'How many at most. Default: 50.')
    .action(async (flags: { limit?: string }) => {
      const { listDead } = await import('../actions/dead.ts');
      await listDead(io, flags);
    });
  dead
    .command('retry')
    .description('Send one where it was meant to go.')
    .argument('<seq>', 'Its number in the list.')
    .action(async (seq: string) => {
      const { retryDead } = await import('../actions/dead.ts');
      await retryDead(io, seq);
    });
  dead
    .command('drop')
    .description('Delete one.')
    .argument('<seq>', 'Its number in the list.')
    .action(async (seq: string) => {
      const { dropDead } = await import('../actions/dead.ts');
      await dropDead(io, seq);
    });
}

import type { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { examples } from '../definitions.ts';

export function register(program: Command, io: CliContext): void {
  program
    .command('topology')
    .description('Compare the streams, consumers and buckets on NATS with what is needed. Exit 1 when they differ.')
    .option('--apply', 'Make what is missing, and bring in line what differs.')
    .addHelpText('after', examples('multi-agent topology', 'multi-agent topology --apply --nats nats://nats.example.com:4222'))
    .action(async (flags: { apply?: boolean }) => {
      const { topology } = await import('../actions/topology.ts');
      await topology(io, flags);
    });
}

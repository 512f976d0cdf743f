import type { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { examples } from '../definitions.ts';
import type { UserFlags } from '../actions/nats-users.ts';

export function register(program: Command, io: CliContext): void {
  const nats = program.command('nats').description('For a NATS server of your own.');
  nats
    .command('users')
    .description(
      'Make a key for everybody, and print the part of the server configuration that lets them in, each to its own subjects alone.',
    )
    .option('--coders <n>', 'How many coders. Default: 1. Those that have a key stay.')
    .option('--reviewers <n>', 'How many reviewers. Default: 1. Those that have a key stay.')
    .option('--repo-managers <n>', 'How many repo-managers. Default: 1. Those that have a key stay.')
    .option('--out <dir>', 'Where the secret seeds go, a file each (0600). Default: nats-users in the home. What is there is kept.')
    .addHelpText(
      'after',
      examples(
        'multi-agent nats users --coders 4 --out ~/nats-users > accounts.conf',
        'NATS_URL=nats://nats.example.com:4222 NATS_NKEY_FILE=~/nats-users/operator.nk multi-agent up --coders 4',
      ),
    )
    .action(async (flags: UserFlags) => {
      const { natsUsers } = await import('../actions/nats-users.ts');
      await natsUsers(io, flags);
    });
}

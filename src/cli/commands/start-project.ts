import type { Command } from 'commander';
import type { SubmitFlags } from '../actions/submit.ts';
import type { CliContext } from '../context.ts';
import { examples } from '../definitions.ts';

export function register(program: Command, io: CliContext): void {
  program
    .command('start-project')
    .description('Hand over the first job on a repository; an empty one will do.')
    .option('--repo <where>', 'The repository: a path, owner/repo, or an https or ssh URL. Required.')
    .option('--requirements <text>', 'What is to be made, or @file; its first line is the title. Required.')
    .option('--branch <base>', "The branch to merge into. Default: the repository's HEAD.")
    .option('--priority <level>', 'low, normal, high or urgent. Default: normal.')
    .option('--key <key>', 'Submitting the same again with the same key is the same job.')
    .option('--wait', 'Follow the job until it has ended or waits for you; the exit code says which.')
    .addHelpText('after', examples('git init ~/code/todo && multi-agent start-project --repo ~/code/todo --requirements @todo.md --wait'))
    .action(async (flags: SubmitFlags) => {
      const { submit } = await import('../actions/submit.ts');
      await submit(io, flags, true);
    });
}

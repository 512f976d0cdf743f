import type { Command } from 'commander';
import type { SubmitFlags } from '../actions/submit.ts';
import type { CliContext } from '../context.ts';
import { collected, examples } from '../definitions.ts';

export function register(program: Command, io: CliContext): void {
  program
    .command('submit-feature')
    .description('Hand over a feature request. Prints its job once the request is stored; the daemons need not be up for that.')
    .option('--repo <where>', 'The repository: a path, owner/repo, or an https or ssh URL. Required.')
    .option('--title <text>', 'The feature in a few words. Required.')
    .option('--description <text>', 'What is wanted, or @file. Required.')
    .option('--requirement <text>', 'Something the change has to do; may be repeated.', collected)
    .option('--requirements <a,b>', 'Several of them, separated by commas.')
    .option('--acceptance <text>', 'How one sees that it is done; may be repeated.', collected)
    .option('--branch <base>', "The branch to merge into. Default: the repository's HEAD.")
    .option('--priority <level>', 'low, normal, high or urgent. Default: normal.')
    .option('--merge <policy>', 'auto: what the reviewer approves is merged; manual: waits for "approve". Default: auto.')
    .option('--max-rounds <n>', 'Review rounds before the job gives up, 1 to 50. Default: 3.')
    .option('--max-cost <usd>', 'No further task is sent out once the job has cost this much. Default: no limit.')
    .option(
      '--timeout <time>',
      'The longest one run of a runner may take, like 90s, 30m or 2h; a coder has up to three in a round. Default: 1h.',
    )
    .option('--key <key>', 'Submitting the same again with the same key is the same job.')
    .option('--wait', 'Follow the job until it has ended or waits for you; the exit code says which.')
    .addHelpText(
      'after',
      examples(
        'multi-agent submit-feature --repo ~/code/app --title "Add --json" --description @feature.md --wait',
        'multi-agent submit-feature --repo . --title "Fix #12" --description "See the issue" --requirement "Keep the API" --merge manual --key issue-12',
      ),
    )
    .action(async (flags: SubmitFlags) => {
      const { submit } = await import('../actions/submit.ts');
      await submit(io, flags, false);
    });
}

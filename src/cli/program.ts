import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import * as approve from './commands/approve.ts';
import * as config from './commands/config.ts';
import * as dead from './commands/dead.ts';
import * as doctor from './commands/doctor.ts';
import * as down from './commands/down.ts';
import * as gc from './commands/gc.ts';
import * as health from './commands/health.ts';
import * as jobStatus from './commands/job-status.ts';
import * as listJobs from './commands/list-jobs.ts';
import * as logs from './commands/logs.ts';
import * as reject from './commands/reject.ts';
import * as restart from './commands/restart.ts';
import * as retry from './commands/retry.ts';
import * as show from './commands/show.ts';
import * as startProject from './commands/start-project.ts';
import * as status from './commands/status.ts';
import * as stopJob from './commands/stop-job.ts';
import * as submitFeature from './commands/submit-feature.ts';
import * as topology from './commands/topology.ts';
import * as up from './commands/up.ts';
import type { CliContext } from './context.ts';
import { examples } from './definitions.ts';

/** In the order of the help. */
const COMMANDS = [
  ...[up, down, restart, status],
  ...[startProject, submitFeature],
  ...[jobStatus, show, listJobs, logs],
  ...[stopJob, approve, reject, retry, dead],
  ...[health, doctor, topology, config, gc],
];

/** All commands, defined: what they do is loaded when one is chosen. A wrong usage is thrown as CommanderError. */
export function createProgram(io: CliContext): Command {
  const program = new Command('multi-agent');
  program
    .description('Turns a feature request into a reviewed, tested, merged change.')
    .version(packageVersion(), '-V, --version', 'Print the version.')
    .helpOption('-h, --help', 'Show this help.')
    .helpCommand('help [command]', 'Show the help of a command.')
    .option('--json', 'Print one JSON document (JSON lines where it streams), and nothing else on stdout.')
    .option('--nats <url>', 'The NATS server to use. Default: NATS_URL, else the one that "up" started.')
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(text),
      // Whoever runs the program reports the error it throws.
      outputError: () => undefined,
    })
    .exitOverride()
    .addHelpText(
      'after',
      examples(
        'multi-agent up --coders 2',
        'multi-agent submit-feature --repo ~/code/app --title "Add --json" --description @feature.md --wait',
        'multi-agent list-jobs --needs-me',
      ),
    );
  for (const { register } of COMMANDS) register(program, io);
  return program;
}

export function packageVersion(): string {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string };
  return version;
}

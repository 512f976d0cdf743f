import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { PACKAGE_ROOT } from '../shared/config/package-root.ts';
import type { CliContext } from './context.ts';
import { examples } from './definitions.ts';

interface CommandModule {
  readonly register: (program: Command, io: CliContext) => void;
}

/** Where each command is defined, in the order of the help. */
const COMMANDS: Readonly<Record<string, () => Promise<CommandModule>>> = {
  up: () => import('./commands/up.ts'),
  down: () => import('./commands/down.ts'),
  restart: () => import('./commands/restart.ts'),
  status: () => import('./commands/status.ts'),
  'start-project': () => import('./commands/start-project.ts'),
  'submit-feature': () => import('./commands/submit-feature.ts'),
  'job-status': () => import('./commands/job-status.ts'),
  show: () => import('./commands/show.ts'),
  'list-jobs': () => import('./commands/list-jobs.ts'),
  logs: () => import('./commands/logs.ts'),
  'stop-job': () => import('./commands/stop-job.ts'),
  approve: () => import('./commands/approve.ts'),
  reject: () => import('./commands/reject.ts'),
  retry: () => import('./commands/retry.ts'),
  dead: () => import('./commands/dead.ts'),
  health: () => import('./commands/health.ts'),
  doctor: () => import('./commands/doctor.ts'),
  topology: () => import('./commands/topology.ts'),
  nats: () => import('./commands/nats.ts'),
  config: () => import('./commands/config.ts'),
  gc: () => import('./commands/gc.ts'),
};

/**
 * The commands, defined: what they do is loaded when one is chosen. A wrong usage is thrown as CommanderError.
 *
 * @param argv the command line: one that begins with a command's name needs no other's definition, which is quicker. Default: all commands.
 */
export async function createProgram(io: CliContext, argv: readonly string[] = []): Promise<Command> {
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
  const chosen = Object.entries(COMMANDS).filter(([name]) => name === argv[0]);
  const modules = await Promise.all((chosen.length > 0 ? chosen : Object.entries(COMMANDS)).map(async ([, load]) => load()));
  for (const { register } of modules) register(program, io);
  return program;
}

export function packageVersion(): string {
  const { version } = JSON.parse(readFileSync(join(PACKAGE_ROOT, 'package.json'), 'utf8')) as { version: string };
  return version;
}

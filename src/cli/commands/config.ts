import type { Command } from 'commander';
import type { CliContext } from '../context.ts';
import type { ShownVariable } from '../daemons/shown-variables.ts';

/** `config`: what is in effect, with secrets masked. Faults are named like everywhere (exit 2). */
export function register(program: Command, io: CliContext): void {
  program
    .command('config')
    .description('Show the configuration in effect, secrets masked.')
    .action(async () => {
      const { shownVariables } = await import('../daemons/shown-variables.ts');
      const { home } = await io.config();
      const connection = await io.connection();
      const variables = shownVariables(io.env).map((variable) =>
        variable.name === 'MULTI_AGENT_HOME' ? { ...variable, value: home } : variable,
      );
      if (io.json()) io.printJson({ variables, nats: { url: connection.url, source: connection.source, embedded: connection.embedded } });
      else for (const line of [...variables.map(lineOf), `NATS is looked for at ${connection.url} (${connection.source})`]) io.print(line);
    });
}

function lineOf({ name, value, source }: ShownVariable): string {
  return `${name}=${value ?? ''}${source === 'environment' ? '' : `  (${source})`}`;
}

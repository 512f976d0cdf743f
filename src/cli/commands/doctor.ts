import type { Command } from 'commander';
import { EXIT, type CliContext } from '../context.ts';

const SIGNS = { ok: 'ok  ', warn: 'warn', fail: 'FAIL' } as const;

/** `doctor`: looks at everything the system needs on this machine. Exit 1 when something has to be put right. */
export function register(program: Command, io: CliContext): void {
  program
    .command('doctor')
    .description('Check this machine: Node, git, nats-server, port, home, disk, runners.')
    .action(async () => {
      const { examine } = await import('../daemons/doctor.ts');
      const findings = await examine(await io.config(), await io.connection());
      if (io.json()) io.printJson({ ok: findings.every(({ result }) => result !== 'fail'), findings });
      else for (const { check, result, message } of findings) io.print(`${SIGNS[result]}  ${check}: ${message}`);
      if (findings.some(({ result }) => result === 'fail')) io.exitWith(EXIT.failed);
    });
}

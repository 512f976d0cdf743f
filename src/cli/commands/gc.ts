import type { Command } from 'commander';
import type { CliContext } from '../context.ts';

/** `gc`: removes what crashes left behind of jobs that have ended. */
export function register(program: Command, io: CliContext): void {
  program
    .command('gc')
    .description('Remove workspaces and claims that a crash left behind.')
    .action(async () => {
      const { homePaths } = await import('../../shared/config/home.ts');
      const { collectGarbage } = await import('../daemons/garbage.ts');
      const garbage = await collectGarbage(await io.connect(), homePaths((await io.config()).home));
      if (io.json()) io.printJson(garbage);
      else io.print(`removed ${String(garbage.worktrees.length)} workspaces, ${String(garbage.claims.length)} claims`);
    });
}

import { readFileSync } from 'node:fs';
import { TerminalError } from '../../errors/errors.ts';
import type { Owner } from '../../git/git.ts';

/**
 * As whom git must run on a repository: undefined for our own; its owner when we are root. Throws `TerminalError`
 * `repository_owner` naming both users when it is another's and we are not root.
 */
export function ownerToRunAs(location: string, uid: number, gid: number, self: number = process.getuid?.() ?? uid): Owner | undefined {
  if (uid === self) return undefined;
  if (self === 0) return { uid, gid };
  throw new TerminalError(
    'repository_owner',
    `The repository ${location} belongs to the user ${userName(uid)}, and the repo-manager runs as ${userName(self)}: run it as ${userName(uid)}, or give the repository to ${userName(self)}.`,
    { details: { path: location, owner: userName(uid), user: userName(self) } },
  );
}

function userName(uid: number): string {
  try {
    const line = readFileSync('/etc/passwd', 'utf8')
      .split('\n')
      .find((entry) => entry.split(':')[2] === String(uid));
    return line?.split(':')[0] ?? `uid ${String(uid)}`;
  } catch {
    return `uid ${String(uid)}`;
  }
}

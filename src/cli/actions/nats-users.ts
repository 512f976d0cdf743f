import { join, resolve } from 'node:path';
import { seedFile } from '../../shared/config/seed-file.ts';
import { InvalidInputError } from '../../shared/errors/errors.ts';
import { renderAccounts } from '../../shared/nats-server/accounts.ts';
import { ensureUsers } from '../../shared/nats-server/identities.ts';
import type { CliContext } from '../context.ts';

export interface UserFlags {
  readonly coders?: string;
  readonly reviewers?: string;
  readonly repoManagers?: string;
  readonly out?: string;
}

const MOST = 100;

/**
 * `nats users`: `{ folder, users: [{ identity, publicKey, seedFile }], configuration }`; for people the configuration alone on stdout, to be
 * sent into a file. No seed is ever printed. Safe to repeat: a key that is there stays.
 */
export async function natsUsers(io: CliContext, flags: UserFlags): Promise<void> {
  const faults: string[] = [];
  const wanted = [
    'provisioner',
    'operator',
    ...numbered('repo-manager', flags.repoManagers, faults),
    ...numbered('coder', flags.coders, faults),
    ...numbered('reviewer', flags.reviewers, faults),
  ];
  if (faults.length > 0) throw new InvalidInputError('bad_input', faults);
  const folder = flags.out === undefined ? join((await io.config()).home, 'nats-users') : resolve(io.cwd, flags.out);
  const users = await ensureUsers(folder, wanted);
  const configuration = renderAccounts(users);
  if (io.json()) {
    io.printJson({ folder, users: users.map((user) => ({ ...user, seedFile: seedFile(folder, user.identity) })), configuration });
    return;
  }
  io.print(`# Made by "multi-agent nats users": include it at the top level of the server's configuration.\n${configuration}`.trimEnd());
  io.note(`The seeds of ${String(users.length)} users are in ${folder}. On this host: NATS_NKEY_FILE=${seedFile(folder, 'operator')}`);
  io.note('An agent elsewhere needs its own file and NATS_URL, nothing else.');
}

function numbered(role: 'repo-manager' | 'coder' | 'reviewer', typed: string | undefined, faults: string[]): string[] {
  if (typed !== undefined && (!/^\d{1,3}$/.test(typed) || Number(typed) > MOST)) {
    faults.push(`--${role}s must be a number from 0 to ${String(MOST)} (it is ${JSON.stringify(typed)})`);
    return [];
  }
  return Array.from({ length: Number(typed ?? 1) }, (_, index) => `${role}-${String(index + 1)}`);
}

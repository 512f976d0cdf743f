import { stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Repository } from '../../shared/domain/feature.ts';
import type { Faults } from './faults.ts';
import { visible } from '../render/visible.ts';
import { findRepository } from './local-repository.ts';
import { forgeUrl } from './forge-url.ts';

export interface RepositoryPlace {
  readonly cwd: string;
  readonly home?: string | undefined;
  /** Is the repo-manager on this host, as far as one can tell? Then a path has to be there. */
  readonly local: boolean;
}

/**
 * What `--repo` names: a path made absolute, or the https URL of a forge. What is wrong with it is a fault, and undefined.
 *
 * `owner/repo` is a folder where there is one of that name, else a repository on GitHub.
 */
export async function parseRepository(text: string, place: RepositoryPlace, faults: Faults): Promise<Repository | undefined> {
  const repo = text.trim();
  if (repo === '' || hasControlCharacter(repo)) {
    faults.add('bad_repository', '--repo: give a path, owner/repo, or an https or ssh URL');
    return undefined;
  }
  const path = expanded(repo, place);
  if (looksRemote(repo) && !(isShorthand(repo) && (await isFolder(path)))) {
    const url = forgeUrl(repo, faults);
    // Only the forge of plain git repositories is there yet: an address that is right is still of no use.
    if (url !== undefined)
      faults.add(
        'forge_not_available',
        `--repo: ${url} is on a forge that is not configured; this version works on local repositories, by path`,
      );
    return undefined;
  }
  if (!place.local) return { kind: 'local', url: path };
  const found = await findRepository(path);
  if (found.type === 'found') return { kind: 'local', url: found.path };
  faults.add('bad_repository', `--repo: ${found.reason}`);
  return undefined;
}

function hasControlCharacter(text: string): boolean {
  return visible(text) !== text || text.includes('\t');
}

function looksRemote(repo: string): boolean {
  return /^[A-Za-z][A-Za-z0-9+.-]*:\/\//.test(repo) || /^[^/\s@]+@[^/\s:]+:/.test(repo) || isShorthand(repo);
}

function isShorthand(repo: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9-]{0,38}\/[A-Za-z0-9._-]{1,100}$/.test(repo);
}

function expanded(repo: string, { cwd, home = homedir() }: RepositoryPlace): string {
  if (repo === '~') return home;
  return repo.startsWith('~/') ? join(home, repo.slice(2)) : resolve(cwd, repo);
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

import { chmod, mkdir, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { CommitId } from '../../domain/ids.ts';
import { makeAside, PUBLIC_PREFIX } from '../../git/aside.ts';
import { createGit, type Git } from '../../git/git.ts';
import { withHostFaults } from '../../git/host-fault.ts';
import { removeTree } from '../../git/remove.ts';
import type { Checkout } from './checkouts.ts';
import type { LocalRepository } from './local-repository.ts';

/**
 * Works on a user's tree and index through a repository of our own that lasts as long as `use` does: their configuration,
 * with whatever filters it names, is not read, only their objects, index and ignore rules. HEAD is at `commit`.
 *
 * The repository stays ours, whoever's the tree is, and lies where they may read it, as they may not in our home: their git may read it and no more. What they could write in, we must not.
 */
export async function withShadow<T>(
  repository: LocalRepository,
  checkout: Checkout,
  commit: CommitId,
  use: (git: Git, setHead: (commit: CommitId) => Promise<void>) => Promise<T>,
): Promise<T> {
  const gitDir = await withHostFaults(() => makeAside(tmpdir(), PUBLIC_PREFIX));
  try {
    const setHead = (id: CommitId) => withHostFaults(() => writeFile(path.join(gitDir, 'HEAD'), `${id}\n`));
    await withHostFaults(() => fillShadow(gitDir, checkout, commit));
    await setHead(commit);
    await showToOwner(gitDir, repository);
    return await use(shadowGit(gitDir, repository, checkout), setHead);
  } finally {
    await removeTree(gitDir);
  }
}

async function fillShadow(gitDir: string, checkout: Checkout, commit: CommitId): Promise<void> {
  const sha256 = commit.length === 64;
  const config = `[core]\n\trepositoryformatversion = ${sha256 ? '1' : '0'}\n${sha256 ? '[extensions]\n\tobjectformat = sha256\n' : ''}`;
  await mkdir(path.join(gitDir, 'refs'));
  await writeFile(path.join(gitDir, 'config'), config);
  await symlink(path.join(checkout.gitDir, 'info'), path.join(gitDir, 'info'));
}

/** Whatever our umask is. Git asks for no ownership of a repository that is named to it. */
async function showToOwner(gitDir: string, { git }: LocalRepository): Promise<void> {
  if (git.location.owner === undefined) return;
  for (const directory of [gitDir, path.join(gitDir, 'refs')]) await chmod(directory, 0o755);
  for (const file of ['config', 'HEAD']) await chmod(path.join(gitDir, file), 0o644);
}

function shadowGit(gitDir: string, repository: LocalRepository, checkout: Checkout): Git {
  const { owner } = repository.git.location;
  return createGit({
    gitDir,
    workTree: checkout.workTree,
    indexFile: path.join(checkout.gitDir, 'index'),
    objectDirectory: path.join(repository.commonDir, 'objects'),
    settings: checkout.settings,
    ...(owner === undefined ? {} : { owner }),
  });
}

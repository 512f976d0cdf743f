import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { CommitId } from '../domain/ids.ts';
import { IDENTITY } from './environment.ts';

/** The branch a runner finds itself on. */
export const RUNNER_BRANCH = 'multi-agent';

/**
 * Gives a tree a `.git` for the runner's own use: it may look at the history, and commit. Nothing of it is ever trusted;
 * it is made by file writes alone, and thrown away after the run.
 */
export async function makeThrowawayGit(tree: string, cacheGitDir: string, index: string, commit: CommitId): Promise<void> {
  const gitDir = path.join(tree, '.git');
  await mkdir(path.join(gitDir, 'objects', 'info'), { recursive: true });
  await mkdir(path.join(gitDir, 'objects', 'pack'));
  await mkdir(path.join(gitDir, 'refs', 'heads'), { recursive: true });
  await mkdir(path.join(gitDir, 'info'));
  await Promise.all([
    writeFile(path.join(gitDir, 'objects', 'info', 'alternates'), `${path.join(cacheGitDir, 'objects')}\n`),
    writeFile(path.join(gitDir, 'refs', 'heads', RUNNER_BRANCH), `${commit}\n`),
    writeFile(path.join(gitDir, 'config'), configuration(commit)),
    copyFile(index, path.join(gitDir, 'index')),
  ]);
  // Last: without it git takes the directory for no repository.
  await writeFile(path.join(gitDir, 'HEAD'), `ref: refs/heads/${RUNNER_BRANCH}\n`);
}

function configuration(commit: CommitId): string {
  const sha256 = commit.length === 64;
  return [
    '[core]',
    `\trepositoryformatversion = ${sha256 ? '1' : '0'}`,
    '\tbare = false',
    '\tfilemode = true',
    '\tlogallrefupdates = true',
    ...(sha256 ? ['[extensions]', '\tobjectformat = sha256'] : []),
    '[user]',
    `\tname = ${IDENTITY.name}`,
    `\temail = ${IDENTITY.email}`,
    '[commit]',
    '\tgpgsign = false',
    '',
  ].join('\n');
}

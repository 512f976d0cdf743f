import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { createGit, type Git } from '../../../src/shared/git/git.ts';
import { openMirror } from '../../../src/shared/git/mirror.ts';
import { transferObjects } from '../../../src/shared/git/transfer.ts';
import { takeWorkspace, type Workspace } from '../../../src/shared/git/workspace.ts';

const run = promisify(execFile);

export const JOB = 'job-01ARZ3NDEKTSV4RRFFQ69G5FAV';
export const OTHER_JOB = 'job-01BX5ZZKBKACTAV9WEVGEMMVRZ';
export const TASK = `${JOB}.implement.1`;
export const AT = 1_700_000_000_000;

/** A directory of the test's own; `remove` it at the end. */
export async function makeDirectory(): Promise<{ path: string; remove: () => Promise<void> }> {
  const directory = await mkdtemp(path.join(tmpdir(), 'ma-test-'));
  await chmod(directory, 0o755);
  return { path: directory, remove: () => rm(directory, { recursive: true, force: true }) };
}

/** Stock git as a user has it, with a plain configuration. */
export async function stockGit(directory: string, args: readonly string[], as?: { uid: number; gid: number }): Promise<string> {
  const { stdout } = await run('git', [...args], {
    cwd: directory,
    maxBuffer: 64 * 1024 * 1024,
    env: {
      PATH: process.env['PATH'],
      HOME: '/nonexistent',
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_AUTHOR_NAME: 'A',
      GIT_AUTHOR_EMAIL: 'a@example.com',
      GIT_COMMITTER_NAME: 'A',
      GIT_COMMITTER_EMAIL: 'a@example.com',
    },
    ...as,
  });
  return stdout.trim();
}

export async function writeFiles(directory: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(directory, name)), { recursive: true });
    await writeFile(path.join(directory, name), text);
  }
}

/** A checked-out repository on `main` with one commit. */
export async function makeRepository(directory: string, files: Readonly<Record<string, string>> = { 'a.txt': 'one\n' }): Promise<string> {
  await mkdir(directory, { recursive: true });
  await stockGit(directory, ['init', '-q', '-b', 'main']);
  return commitFiles(directory, files, 'first');
}

export async function commitFiles(directory: string, files: Readonly<Record<string, string>>, message: string): Promise<string> {
  await writeFiles(directory, files);
  await stockGit(directory, ['add', '-A']);
  await stockGit(directory, ['commit', '-q', '-m', message]);
  return stockGit(directory, ['rev-parse', 'HEAD']);
}

/** A repository, and a bare cache of it that has its commit. */
export async function makeCached(
  home: string,
  files?: Readonly<Record<string, string>>,
): Promise<{ repository: string; cache: Git; commit: string }> {
  const repository = path.join(home, 'user', 'app');
  const commit = await makeRepository(repository, files);
  const cache = await openMirror(path.join(home, 'repositories', 'app-1.git'));
  await transferObjects(createGit({ gitDir: path.join(repository, '.git') }), cache, [commit]);
  return { repository, cache, commit };
}

export async function take(home: string, cache: Git, commit: string, attempt = 1, tree?: string, agentId = 'coder-1'): Promise<Workspace> {
  return takeWorkspace({
    home,
    repoKey: 'app-1',
    cacheGitDir: cache.location.gitDir,
    taskId: TASK,
    attempt,
    owner: { agentId, incarnation: 'one', pid: process.pid },
    commit,
    ...(tree === undefined ? {} : { tree }),
  });
}

import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** A git repository of a scenario. */
export interface TestRepository {
  readonly path: string;
  git(...args: readonly string[]): string;
  /** Commits a file on what is checked out. @returns the commit */
  commit(path: string, text: string): string;
  /** Subjects and ids of the first-parent history, newest first. */
  firstParents(branch?: string): string[];
  /** A file as it is on the branch; undefined when it is not there. */
  fileOn(branch: string, path: string): string | undefined;
  branches(): string[];
}

export type Files = Readonly<Record<string, string>>;

/** A checked-out repository with one commit on `main`. */
export function createRepository(path: string, files: Files = { 'README.md': '# sample\n' }): TestRepository {
  const repository = emptyRepository(path);
  for (const [name, text] of Object.entries(files)) writeIn(path, name, text);
  repository.git('add', '-A');
  repository.git('commit', '-q', '-m', 'first');
  return repository;
}

/** A repository without a commit. */
export function emptyRepository(path: string, { bare = false } = {}): TestRepository {
  mkdirSync(path, { recursive: true });
  const git = (...args: readonly string[]): string => runGit(path, args);
  git('init', '-q', '-b', 'main', ...(bare ? ['--bare'] : []));
  return {
    path,
    git,
    commit: (name, text) => {
      writeIn(path, name, text);
      git('add', '-A');
      git('commit', '-q', '-m', `change ${name}`);
      return git('rev-parse', 'HEAD');
    },
    firstParents: (branch = 'main') => git('log', '--first-parent', '--format=%H %s', branch).split('\n'),
    fileOn: (branch, name) => {
      try {
        return git('show', `${branch}:${name}`);
      } catch {
        return undefined;
      }
    },
    branches: () => git('for-each-ref', '--format=%(refname:short)', 'refs/heads').split('\n'),
  };
}

function writeIn(directory: string, name: string, text: string): void {
  mkdirSync(dirname(join(directory, name)), { recursive: true });
  writeFileSync(join(directory, name), text);
}

function runGit(directory: string, args: readonly string[]): string {
  const settings = ['user.name=test', 'user.email=test@example.org', 'safe.directory=*'].flatMap((setting) => ['-c', setting]);
  return execFileSync('git', ['-C', directory, ...settings, ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim();
}

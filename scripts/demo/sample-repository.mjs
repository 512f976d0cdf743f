import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Nothing of the user's own git settings (hooks, signing, templates) has a part in the demo. */
const GIT_ENVIRONMENT = {
  PATH: process.env.PATH,
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_AUTHOR_NAME: 'Demo',
  GIT_AUTHOR_EMAIL: 'demo@multi-agent.invalid',
  GIT_COMMITTER_NAME: 'Demo',
  GIT_COMMITTER_EMAIL: 'demo@multi-agent.invalid',
};

/** Runs git in `folder` and gives its stdout; throws with what it said when it fails. */
export function git(folder, ...args) {
  const { status, stdout, stderr, error } = spawnSync('git', args, { cwd: folder, env: GIT_ENVIRONMENT, encoding: 'utf8' });
  if (error !== undefined)
    throw new Error(error.code === 'ENOENT' ? 'git is not on PATH: multi-agent needs it.' : error.message, { cause: error });
  if (status !== 0) throw new Error(`git ${args[0]} failed (exit ${status}): ${stderr.trim()}`);
  return stdout.trimEnd();
}

/** Makes a repository with these files as its first commit on `main`. */
export function makeRepository(folder, files) {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
  git(folder, 'init', '--quiet', '--template=', '--initial-branch=main');
  git(folder, 'add', '--all');
  git(folder, 'commit', '--quiet', '--message', 'slug: titles for URLs');
}

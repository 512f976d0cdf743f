import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { product, temporaryFolder } from './harness/folders.mjs';
import { interleaved, median, rounded } from './harness/measure.mjs';
import { runAside } from './harness/processes.mjs';
import { git, largeRepository } from './harness/repositories.mjs';
import { withScope } from './harness/scope.mjs';

const SIZE = { files: 20_000, bytes: 110_000_000 };

/** (c) The second workspace of a large repository. */
export const secondWorkspace = {
  id: 'c',
  title: 'The second workspace of a large repository',
  how: `A repository of ${String(SIZE.files)} files and ${String(SIZE.bytes / 1_000_000)} MB, made on the spot. Measured: our next workspace, of another commit than the one before it, against \`git worktree add\` and \`git clone --local\` of that commit, in turn.`,
  run: ({ quick }) => withScope((onEnd) => measure(onEnd, quick ? 2 : 7)),
};

async function measure(onEnd, rounds) {
  const folder = await temporaryFolder(onEnd);
  const repository = await largeRepository(join(folder, 'repository'), SIZE);
  const cache = join(folder, 'cache.git');
  git(folder, 'clone', '-q', '--bare', '--local', repository, cache);
  const commits = twoCommits(repository, cache);
  const ours = await workspaces(folder, cache);
  await ours(commits[0]);
  let round = 0;
  const times = await interleaved(
    rounds,
    {
      // The one that was released last was of the other commit.
      ours: () => ours(commits[(round += 1) % 2]),
      worktree: () => elsewhere(folder, (path) => runAside('git', ['-C', cache, 'worktree', 'add', '-q', '--detach', path, commits[0]])),
      clone: () => elsewhere(folder, (path) => runAside('git', ['clone', '-q', '--local', repository, path])),
    },
    { warmUps: 0 },
  );
  const [mine, worktree, clone] = [median(times.ours), median(times.worktree), median(times.clone)];
  const detail = { oursMs: rounded(mine, 0), worktreeMs: rounded(worktree, 0), cloneMs: rounded(clone, 0) };
  return [
    result('c.worktree', 'Second workspace against `git worktree add`', mine / worktree, detail),
    result('c.clone', 'Second workspace against `git clone --local`', mine / clone, detail),
  ];
}

function result(id, title, figure, detail) {
  return { id, title, figure: rounded(figure, 3), unit: '×', goal: '≤ 0.2', met: figure <= 0.2, detail };
}

function twoCommits(repository, cache) {
  const first = git(repository, 'rev-parse', 'HEAD');
  git(repository, 'commit', '-q', '--allow-empty', '-m', 'another');
  git(repository, 'mv', 'part-0/module-0/file-0.ts', 'part-0/module-0/renamed.ts');
  git(repository, 'commit', '-q', '-m', 'renamed');
  git(cache, 'fetch', '-q', repository, 'main');
  return [first, git(repository, 'rev-parse', 'HEAD')];
}

/** Takes a workspace, which is measured, and gives it back. */
async function workspaces(home, cacheGitDir) {
  const { takeWorkspace } = await product('shared/git/workspace');
  const owner = { agentId: 'coder-1', incarnation: 'bench', pid: process.pid };
  let attempt = 0;
  return async (commit) => {
    attempt += 1;
    const started = performance.now();
    const workspace = await takeWorkspace({ home, repoKey: 'large', cacheGitDir, taskId: 'task', attempt, owner, commit });
    const took = performance.now() - started;
    await workspace.release('normal');
    return took;
  };
}

async function elsewhere(folder, make) {
  const path = join(folder, 'elsewhere');
  await mkdir(folder, { recursive: true });
  const started = performance.now();
  await make(path);
  const took = performance.now() - started;
  await rm(path, { recursive: true, force: true });
  git(join(folder, 'cache.git'), 'worktree', 'prune');
  return took;
}

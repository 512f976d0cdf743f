import { chown, readdir } from 'node:fs/promises';
import path from 'node:path';
import { createLocalForge } from '../../../src/shared/forge/local/local-forge.ts';
import { createGit } from '../../../src/shared/git/git.ts';
import { writeCommit } from '../../../src/shared/git/objects.ts';
import { AT, commitFiles, makeDirectory, makeRepository, stockGit, writeFiles } from '../../integration/git/fixtures.ts';
import { forgeContract, type ForgeWorld } from './forge-contract.ts';

const NOBODY = { uid: 65534, gid: 65534 };

forgeContract('local, bare', async () => {
  const world = await makeWorld();
  const bare = path.join(world.home, 'origin.git');
  await stockGit(world.home, ['clone', '-q', '--bare', world.clone, bare]);
  await stockGit(world.clone, ['remote', 'add', 'origin', bare]);
  return worldOf(world, bare, async (branch, file, text) => {
    await stockGit(world.clone, ['pull', '-q', 'origin', branch]);
    const commit = await commitFiles(world.clone, { [file]: text }, `user: ${file}`);
    await stockGit(world.clone, ['push', '-q', 'origin', branch]);
    return commit;
  });
});

forgeContract('local, checked out', async () => {
  const world = await makeWorld();
  return worldOf(world, world.clone, (_, file, text) => commitFiles(world.clone, { [file]: text }, `user: ${file}`));
});

if (process.getuid?.() === 0) {
  forgeContract("local, another user's", async () => {
    const world = await makeWorld();
    await chownTree(world.clone);
    const forgeWorld = worldOf(world, world.clone, async (_, file, text) => {
      await writeFiles(world.clone, { [file]: text });
      await chownTree(world.clone);
      await stockGit(world.clone, ['add', '-A'], NOBODY);
      await stockGit(world.clone, ['commit', '-q', '-m', `user: ${file}`], NOBODY);
      return stockGit(world.clone, ['rev-parse', 'HEAD'], NOBODY);
    });
    return forgeWorld;
  });
}

async function makeWorld(): Promise<{ home: string; clone: string; remove: () => Promise<void> }> {
  const { path: home, remove } = await makeDirectory();
  const clone = path.join(home, 'App one');
  await makeRepository(clone);
  return { home, clone, remove };
}

function worldOf(
  { home, remove }: { home: string; remove: () => Promise<void> },
  repository: string,
  commitOn: ForgeWorld['commitOn'],
): ForgeWorld {
  const read = (...args: string[]) =>
    stockGit(home, [
      '-c',
      `safe.directory=*`,
      `--git-dir=${repository.endsWith('.git') ? repository : path.join(repository, '.git')}`,
      ...args,
    ]);
  return {
    forge: createLocalForge({ home: path.join(home, 'ma') }),
    repository: { kind: 'local', url: repository },
    commitOn,
    branch: (name) => read('rev-parse', '-q', '--verify', `refs/heads/${name}`).catch(() => null),
    fileOn: async (branch, file) => `${await read('show', `${branch}:${file}`)}\n`,
    propose,
    remove,
  };
}

async function propose(mirror: string, parent: string, file: string, text: string): Promise<string> {
  const index = path.join(mirror, `index-${String(Math.random())}`);
  const git = createGit({ gitDir: mirror, indexFile: index });
  await git.run(['read-tree', parent]);
  const blob = await git.run(['hash-object', '-w', '--stdin'], { input: text });
  await git.run(['update-index', '--add', '--cacheinfo', `100644,${blob.stdout.trim()},${file}`]);
  const tree = await git.run(['write-tree']);
  return writeCommit(git, { tree: tree.stdout.trim(), parents: [parent], message: `change ${file}`, at: AT });
}

async function chownTree(directory: string): Promise<void> {
  await chown(directory, NOBODY.uid, NOBODY.gid);
  for (const entry of await readdir(directory, { withFileTypes: true, recursive: true })) {
    await chown(path.join(entry.parentPath, entry.name), NOBODY.uid, NOBODY.gid);
  }
}

import { execFileSync } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { git, makeRepository } from '../in-process-system.ts';

const CHECK = fileURLToPath(new URL('./programs/check.sh', import.meta.url));

/** Every third one has its base branch checked out, so that a tree has to move with the branch; the others are bare. */
const CHECKED_OUT_EVERY = 3;

/** Small git repositories whose check refuses what should not have been merged. Gives their paths. */
export async function makeRepositories(folder: string, count: number): Promise<string[]> {
  await mkdir(join(folder, 'repositories'), { recursive: true });
  const first = await makeRepository({
    'README.md': '# sample\n',
    'shared.txt': 'the first line\n',
    'numbers/first': '1\n',
    '.multi-agent.json': JSON.stringify({ checks: [['sh', CHECK, folder]] }),
  });
  try {
    return Array.from({ length: count }, (_, n) =>
      cloneOf(first, join(folder, 'repositories', String(n + 1)), n % CHECKED_OUT_EVERY === 0),
    );
  } finally {
    await rm(first, { recursive: true, force: true });
  }
}

function cloneOf(first: string, path: string, isCheckedOut: boolean): string {
  execFileSync('git', ['clone', '-q', '--no-hardlinks', ...(isCheckedOut ? [] : ['--bare']), first, path]);
  git(path, 'remote', 'remove', 'origin');
  return path;
}

/** The files that tell the runners what to do, and what they did. */
export async function makeStage(folder: string): Promise<void> {
  for (const name of ['jobs', 'marks', 'clocks']) await mkdir(join(folder, name), { recursive: true });
  for (const name of ['runs', 'green']) await writeFile(join(folder, name), '');
}

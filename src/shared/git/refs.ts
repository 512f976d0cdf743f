import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import type { CommitId, JobId } from '../domain/ids.ts';
import { makeAside } from './aside.ts';
import type { Git } from './git.ts';
import { withHostFaults } from './host-fault.ts';

// Only for repositories of our own: their refs are plain files that nobody packs, so reading and writing them takes no process.

const PINS = 'refs/multi-agent';
const BASES = 'refs/bases';

export interface Pin {
  readonly jobId: JobId;
  readonly name: string;
  readonly id: CommitId;
}

/**
 * Keeps a commit of a job as `refs/multi-agent/<jobId>/<name>`: `name` is the round, or what else tells it from the job's
 * other ones. Idempotent, and on the disk when it returns. Throws what `hostFault` says.
 */
export async function pin(git: Git, jobId: JobId, name: string | number, id: CommitId): Promise<void> {
  await writeRef(git, `${PINS}/${safe(jobId)}/${safe(String(name))}`, id);
}

/** Lets go of all that is kept for a job. */
export async function unpin(git: Git, jobId: JobId): Promise<void> {
  await rm(path.join(git.location.gitDir, PINS, safe(jobId)), { recursive: true, force: true });
}

/** The jobs of which something is kept. */
export async function jobsWithPins(git: Git): Promise<JobId[]> {
  return names(path.join(git.location.gitDir, PINS));
}

/** What is kept, for one job or for all. */
export async function listPins(git: Git, jobId?: JobId): Promise<Pin[]> {
  const jobs = jobId === undefined ? await jobsWithPins(git) : [safe(jobId)];
  const pins = await Promise.all(
    jobs.map(async (job) => {
      const rounds = await names(path.join(git.location.gitDir, PINS, job));
      return Promise.all(rounds.map(async (name) => ({ jobId: job, name, id: await readRef(git, `${PINS}/${job}/${name}`) })));
    }),
  );
  return pins.flat().flatMap(({ id, ...rest }) => (id === null ? [] : [{ ...rest, id }]));
}

/** Remembers the newest commit of a branch that came from outside; `key` is any word that stands for the branch. */
export async function keepBase(git: Git, key: string, id: CommitId): Promise<void> {
  await writeRef(git, `${BASES}/${safe(key)}`, id);
}

/** The newest commits that `keepBase` remembers: both sides have them, so a transfer need not send them. */
export async function keptBases(git: Git): Promise<Map<string, CommitId>> {
  const keys = await names(path.join(git.location.gitDir, BASES));
  const ids = await Promise.all(keys.map(async (key) => [key, await readRef(git, `${BASES}/${key}`)] as const));
  return new Map(ids.flatMap(([key, id]) => (id === null ? [] : [[key, id] as const])));
}

async function readRef(git: Git, ref: string): Promise<CommitId | null> {
  const text = await readFile(path.join(git.location.gitDir, ref), 'latin1').catch(() => '');
  return /^([0-9a-f]{40}|[0-9a-f]{64})\n$/.exec(text)?.[1] ?? null;
}

async function writeRef(git: Git, ref: string, id: CommitId): Promise<void> {
  if ((await readRef(git, ref)) !== id) await withHostFaults(() => replaceRef(git.location.gitDir, ref, id));
}

async function replaceRef(gitDir: string, ref: string, id: CommitId): Promise<void> {
  const file = path.join(gitDir, ref);
  await mkdir(path.dirname(file), { recursive: true });
  const aside = await makeAside(gitDir);
  const temporary = path.join(aside, 'ref');
  try {
    const handle = await open(temporary, 'wx');
    try {
      await handle.writeFile(`${id}\n`);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, file);
  } finally {
    await rm(aside, { recursive: true, force: true });
  }
}

async function names(directory: string): Promise<string[]> {
  return (await readdir(directory).catch(() => [])).sort();
}

function safe(part: string): string {
  if (!/^[A-Za-z0-9][A-Za-z0-9-]{0,99}$/.test(part)) throw new RangeError(`not a part of a ref name of ours: ${part}`);
  return part;
}

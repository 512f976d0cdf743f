import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { JobId } from '../../domain/ids.ts';
import { withHostFaults } from '../../git/host-fault.ts';
import { isAlive } from '../../process/process-table.ts';

const Publication = z.object({ jobId: JobId, url: z.string() });
/** A job whose branch somebody is about to make in the user's repository at `url`. */
export type Publication = z.infer<typeof Publication>;

/**
 * Notes of branches that are being published, in `<home>/forge/.publishing/<pid>.<process>.<jobId>.json`: by them somebody finds what a process made
 * that was killed before it could look whether it had come too late. They outlive the process and not the machine's power.
 */
export interface Publications {
  begin(publication: Publication): Promise<void>;
  /** Nothing of it is left to be looked at. */
  end(jobId: JobId): Promise<void>;
  /** Those of processes that are gone. */
  left(): Promise<readonly { readonly publication: Publication; forget(): Promise<void> }[]>;
}

/** Tells this process from an earlier one with its pid: in a container the first process has the same one each time. */
const PROCESS = randomUUID();

export function createPublications(home: string): Publications {
  const directory = path.join(home, 'forge', '.publishing');
  const noteOf = (jobId: JobId): string => path.join(directory, `${String(process.pid)}.${PROCESS}.${JobId.parse(jobId)}.json`);
  return {
    begin: (publication) =>
      withHostFaults(async () => {
        await mkdir(directory, { recursive: true, mode: 0o700 });
        await writeFile(noteOf(publication.jobId), JSON.stringify(publication), { mode: 0o600 });
      }),
    end: (jobId) => rm(noteOf(jobId), { force: true }),
    left: async () => {
      const names = await readdir(directory).catch(() => []);
      const gone = names.filter(isOfGoneProcess).map((name) => path.join(directory, name));
      const read = await Promise.all(
        gone.map(async (file) => ({ publication: await readNote(file), forget: () => rm(file, { force: true }) })),
      );
      return read.flatMap(({ publication, forget }) => (publication === undefined ? [] : [{ publication, forget }]));
    },
  };
}

function isOfGoneProcess(name: string): boolean {
  const [pid, id] = name.split('.');
  return Number(pid) === process.pid ? id !== PROCESS : !isAlive(Number(pid));
}

/** One that was cut off while it was written tells that nothing was begun: it is deleted. */
async function readNote(file: string): Promise<Publication | undefined> {
  try {
    return Publication.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch {
    await rm(file, { force: true });
    return undefined;
  }
}

import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** One change request, as it lies in the local forge's files. */
export interface ForgeRecord {
  readonly repositoryKey: string;
  /** `<round>-<decision>` of each verdict. */
  readonly reviews: readonly string[];
}

/** The change requests of each job. */
export function readForge(home: string): Map<string, ForgeRecord[]> {
  const records = new Map<string, ForgeRecord[]>();
  for (const repositoryKey of namesIn(join(home, 'forge'))) {
    for (const job of namesIn(join(home, 'forge', repositoryKey)).filter((name) => name.startsWith('job-'))) {
      const folder = join(home, 'forge', repositoryKey, job);
      if (!existsSync(join(folder, 'opened.json'))) continue;
      const reviews = namesIn(join(folder, 'reviews')).filter((name) => !name.startsWith('.'));
      records.set(job, [...(records.get(job) ?? []), { repositoryKey, reviews: reviews.map(shortName) }]);
    }
  }
  return records;
}

/** `1-<head>-approve.json`; one that is not named by what it says counts as what it is called. */
function shortName(file: string): string {
  const [, round, decision] = /^(\d+)-[0-9a-f]{40,64}-(\w+)\.json$/.exec(file) ?? [];
  return round === undefined ? file : `${round}-${decision ?? ''}`;
}

function namesIn(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder) : [];
}

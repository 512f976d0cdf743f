import { randomUUID } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { RepoManagerContext } from '../../../src/agents/repo-manager/context.ts';
import type { Forge } from '../../../src/shared/forge/forge.ts';

/**
 * Ways to do it wrong that look right until something crashes: the control of the crash tests. Each takes one thing away.
 * - `no-look-up`: a merge is not looked for before it is made.
 * - `effects-beside`: the consequences of a decision are not in the record.
 * - `review-again`: a verdict is posted without a look whether it is there.
 */
export const SABOTAGES = ['no-look-up', 'effects-beside', 'review-again'] as const;
export type Sabotage = (typeof SABOTAGES)[number];

/** Names the sabotage of a process, where there is to be one. */
export const SABOTAGE_VARIABLE = 'CRASH_TEST_SABOTAGE';

export function sabotage(context: RepoManagerContext, how = process.env[SABOTAGE_VARIABLE]): RepoManagerContext {
  const { local } = context.forges;
  if (how === undefined || !local) return context;
  switch (how as Sabotage) {
    case 'no-look-up':
      return { ...context, forges: { local: { ...local, findMerge: () => Promise.resolve(null) } } };
    case 'effects-beside':
      return { ...context, store: effectsBeside(context.store) };
    case 'review-again':
      return { ...context, forges: { local: reviewAgain(local, context.home) } };
  }
}

function effectsBeside(store: RepoManagerContext['store']): RepoManagerContext['store'] {
  return {
    ...store,
    save: async (job, previous) => {
      const saved = await store.save({ ...job, pending: [] }, previous);
      return saved && { ...saved, value: job };
    },
  };
}

function reviewAgain(forge: Forge, home: string): Forge {
  return {
    ...forge,
    postReview: async (repository, number, review) => {
      const records = join(home, 'forge', repository.key);
      const jobId = z.string().parse(JSON.parse(await readFile(join(records, 'numbers', String(number)), 'utf8')));
      await mkdir(join(records, jobId, 'reviews'), { recursive: true });
      await writeFile(join(records, jobId, 'reviews', `${randomUUID()}.json`), JSON.stringify(review));
    },
  };
}

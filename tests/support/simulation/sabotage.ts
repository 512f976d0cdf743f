import type { RepoManagerContext } from '../../../src/agents/repo-manager/context.ts';
import type { Forge } from '../../../src/shared/forge/forge.ts';
import { type ForgeWorld, openedRequest } from './forge.ts';
import type { Server } from './server.ts';

export interface Sabotaged {
  readonly context?: (context: RepoManagerContext, world: { readonly server: Server; readonly forge: ForgeWorld }) => RepoManagerContext;
  readonly acksFirst?: boolean;
}

/** Ways to do it wrong that look right as long as nothing happens: each takes one thing away, and each must be found. */
export const SABOTAGES = {
  /** A change request is opened without a look whether it is there. */
  'no look-up before create': {
    context: (context, { forge }) =>
      withForge(context, (real) => ({
        openChangeRequest: async (repository, change) => {
          const known = await real.openChangeRequest(repository, change);
          const first = forge.hosted.changeRequests.find(({ jobId }) => jobId === change.jobId);
          if (first && known.headCommit === change.headCommit && seen.has(first)) openedRequest(forge.hosted, change);
          if (first) seen.add(first);
          return known;
        },
      })),
  },
  /** A merge is not looked for before it is made. */
  'no look for an earlier merge': {
    context: (context) => withForge(context, () => ({ findMerge: () => Promise.resolve(null) })),
  },
  /** Whoever writes last is right. */
  'no compare-and-set': {
    context: (context, { server }) => ({
      ...context,
      store: {
        ...context.store,
        save: async (job, previous) => {
          const saved = await context.store.save(job, previous);
          if (saved) return saved;
          const entry = server.jobs.entries.get(job.id);
          return entry ? context.store.save(job, entry) : null;
        },
      },
    }),
  },
  /** The message is acknowledged before its consequences are on record. */
  'ack before record': { acksFirst: true },
  /** The consequences of a decision are not in the record. */
  'effects beside the record': {
    context: (context) => ({
      ...context,
      store: {
        ...context.store,
        save: async (job, previous) => {
          const saved = await context.store.save({ ...job, pending: [] }, previous);
          return saved && { ...saved, value: job };
        },
      },
    }),
  },
  /** An id is put among the open jobs after the record. */
  'the open list behind the record': {
    context: (context, { server }) => ({
      ...context,
      store: {
        ...context.store,
        save: async (job, previous) => {
          const saved = await context.store.save(job, previous);
          if (saved && previous === null) server.open.entries.delete(job.id);
          return saved;
        },
      },
    }),
  },
  /** Facts have no id of their own. */
  'events without an id': {
    context: (context) => ({
      ...context,
      bus: {
        ...context.bus,
        publishEvent: (jobId, event, at, id) => context.bus.publishEvent(jobId, event, at, `${id}.${String(context.now())}`),
      },
    }),
  },
  /** A verdict is posted without a look whether it is there. */
  'a review posted blindly': {
    context: (context, { forge }) =>
      withForge(context, (real) => ({
        postReview: async (repository, number, review) => {
          const request = forge.hosted.changeRequests.find((one) => one.number === number);
          const before = request?.reviews.length;
          await real.postReview(repository, number, review);
          if (request?.reviews.length === before) request?.reviews.push(request.reviews.at(-1) ?? '');
        },
      })),
  },
  /** Claims are left where they are. */
  'claims left behind': { context: (context) => ({ ...context, claims: { ...context.claims, remove: () => Promise.resolve(true) } }) },
} as const satisfies Record<string, Sabotaged>;

export type Sabotage = keyof typeof SABOTAGES;
const seen = new WeakSet<object>();

function withForge(context: RepoManagerContext, change: (real: Forge) => Partial<Forge>): RepoManagerContext {
  const real = context.forges.local;
  return real ? { ...context, forges: { local: { ...real, ...change(real) } } } : context;
}

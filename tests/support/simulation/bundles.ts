import { JobId } from '../../../src/shared/domain/ids.ts';
import { RetryableError, TerminalError } from '../../../src/shared/errors/errors.ts';
import type { BundleStore, StoredBundles as BundlesOfJob } from '../../../src/shared/messaging/bundle-store.ts';
import type { Incarnation } from './process.ts';

interface StoredBundle {
  /** As it was asked for, without the place. */
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly key: string;
  readonly sha256: string;
}

/** The object store as it lies on the server, by name with place. */
export interface StoredBundles {
  readonly objects: Map<string, StoredBundle>;
  of(self: Incarnation): BundleStore;
}

export function createStoredBundles(): StoredBundles {
  const objects = new Map<string, StoredBundle>();
  let puts = 0;
  return {
    objects,
    of: (self) => ({
      put: (name, bytes, key, tip) =>
        self.io('nats', 'put bundle', () => {
          // Each time with a nonce and a place of its own: the same bundle is never the same bytes twice.
          const number = (puts += 1).toString(16);
          const placed = name.replace(/\.([a-z]+)$/, `.${self.process}.${number.padStart(32, '0')}.$1`);
          const sha256 = number.padStart(64, '0');
          objects.set(placed, { name, bytes, key: key.toString('hex'), sha256 });
          return { name: placed, sha256, sizeBytes: bytes.length, tip };
        }),
      get: (ref, key) =>
        self.io('nats', 'get bundle', () => {
          const found = objects.get(ref.name);
          if (!found) throw new RetryableError('bundle_missing', `The bundle ${ref.name} is not there.`);
          if (found.sha256 !== ref.sha256) throw new TerminalError('bundle_refused', `The bundle ${ref.name} is not what was announced.`);
          if (found.key !== key.toString('hex')) throw new TerminalError('bundle_refused', `The bundle ${ref.name} does not open.`);
          return found.bytes;
        }),
      remove: async (names) => {
        for (const name of names) {
          await self.io('nats', 'remove bundle', () => {
            for (const [placed, stored] of objects) if (placed === name || stored.name === name) objects.delete(placed);
          });
        }
      },
      jobs: () => self.io('nats', 'list bundles', () => bundlesOfJobs(self, objects)),
    }),
  };
}

function bundlesOfJobs(self: Incarnation, objects: Map<string, StoredBundle>): BundlesOfJob[] {
  const jobs = new Map<JobId, string[]>();
  for (const name of objects.keys()) {
    const jobId = JobId.parse(/job-[0-9A-Z]{26}/.exec(name)?.[0]);
    jobs.set(jobId, [...(jobs.get(jobId) ?? []), name]);
  }
  return [...jobs].map(([jobId, names]) => ({
    jobId,
    remove: async () => {
      for (const name of names) await self.io('nats', 'remove bundles', () => void objects.delete(name));
    },
  }));
}

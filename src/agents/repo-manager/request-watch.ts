import type { JobId } from '../../shared/domain/ids.ts';
import { jobIdIn } from '../../shared/messages/subjects.ts';
import type { Delivery } from '../../shared/messaging/delivery.ts';
import type { RepoManagerContext } from './context.ts';

/** Finds requests that nobody is given any more: a server that was killed may take one that was never handled for acknowledged. */
export interface RequestWatch {
  /**
   * The requests that were stored before a moment and have no record, but for those in hand. Each request is read once, and looked at again
   * as long as its record is missing, a few times: what can't be handled at all has none either, and is among the dead letters.
   */
  withoutRecord(before: number): Promise<readonly RequestWithoutRecord[]>;
}

export interface RequestWithoutRecord {
  readonly jobId: JobId;
  readonly delivery: Delivery;
}

interface Watched extends RequestWithoutRecord {
  tries: number;
}

const TRIES = 5;

export function createRequestWatch({ bus, store }: RepoManagerContext, isBusy: (jobId: JobId) => boolean): RequestWatch {
  const missing = new Map<number, Watched>();
  let next: number | undefined;
  const readOn = async (before: number): Promise<void> => {
    const read = await bus.oldRequests(next, before);
    for (const delivery of read.deliveries) {
      const jobId = jobIdIn(delivery.subject);
      if (jobId !== undefined) missing.set(delivery.streamSeq, { jobId, delivery, tries: 0 });
    }
    next = read.next;
  };
  return {
    withoutRecord: async (before) => {
      await readOn(before);
      const found: Watched[] = [];
      for (const [seq, request] of missing) {
        if (request.tries >= TRIES || (await store.load(request.jobId)) !== null) missing.delete(seq);
        else if (!isBusy(request.jobId)) found.push(request);
      }
      for (const request of found) request.tries += 1;
      return found;
    },
  };
}

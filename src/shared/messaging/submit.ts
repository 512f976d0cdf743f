import { isDeepStrictEqual } from 'node:util';
import { setTimeout as delay } from 'node:timers/promises';
import { jetstream, JetStreamApiError, jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { InvalidInputError, messageOf, UnreachableError } from '../errors/errors.ts';
import type { FeatureRequest } from '../messages/feature-request.ts';
import { subjects } from '../messages/subjects.ts';
import type { JobReader } from './job-reader.ts';
import { WRONG_LAST_SEQUENCE } from './publish.ts';
import { STREAMS } from './topology.ts';
import { isUnanswered } from './unanswered.ts';

export interface SubmitOptions {
  /** How long to find out whether it is stored (milliseconds). Default 15,000. */
  readonly patienceMs?: number;
  readonly signal?: AbortSignal;
}

export interface Submitted {
  /** The request as it lies in REQUESTS: of a repeated submission the first one. */
  readonly request: FeatureRequest;
  /** Was it there already? */
  readonly repeated: boolean;
}

const PATIENCE_MS = 15_000;
const PUBLISH_TIMEOUT_MS = 3_000;
const RETRY_MS = 250;

/**
 * Stores a request, once: the server takes it only as the first message of its subject. An outcome that is not known is looked up before
 * anything is sent again.
 *
 * @throws InvalidInputError `key_conflict` when the key's job was submitted with another content
 * @throws UnreachableError `submit_unconfirmed` when it can't be found out whether it is stored; the same key submitted again is the same job
 */
export async function submitFeature(
  nc: NatsConnection,
  jobs: JobReader,
  request: FeatureRequest,
  options: SubmitOptions = {},
): Promise<Submitted> {
  const deadline = performance.now() + (options.patienceMs ?? PATIENCE_MS);
  for (;;) {
    options.signal?.throwIfAborted();
    try {
      const outcome = await publishFirst(nc, request);
      if (outcome === 'stored') return { request, repeated: false };
    } catch (error) {
      if (!mayPass(error) || (isNobodyThere(error) && (await isStreamMissing(nc)))) throw error;
      if (performance.now() > deadline) throw unconfirmed(request, error);
    }
    const found = await lookUp(jobs, request, deadline);
    if (found) return found;
    await delay(RETRY_MS, undefined, options.signal ? { signal: options.signal } : {});
  }
}

async function publishFirst(nc: NatsConnection, request: FeatureRequest): Promise<'stored' | 'refused'> {
  try {
    const ack = await jetstream(nc).publish(subjects.request(request.jobId), JSON.stringify(request), {
      timeout: PUBLISH_TIMEOUT_MS,
      msgID: request.jobId,
      expect: { lastSubjectSequence: 0 },
    });
    // "Duplicate" says that some message with this id was stored, not that it was this one.
    return ack.duplicate ? 'refused' : 'stored';
  } catch (error) {
    if (error instanceof JetStreamApiError && error.code === WRONG_LAST_SEQUENCE) return 'refused';
    throw error;
  }
}

async function lookUp(jobs: JobReader, request: FeatureRequest, deadline: number): Promise<Submitted | undefined> {
  try {
    const stored = await jobs.request(request.jobId);
    return stored ? asSubmitted(stored.request, request) : undefined;
  } catch (error) {
    if (!isUnanswered(error)) throw error;
    if (performance.now() > deadline) throw unconfirmed(request, error);
    return undefined;
  }
}

function asSubmitted(stored: FeatureRequest, request: FeatureRequest): Submitted {
  const differing = differences(stored, request);
  if (differing.length === 0) return { request: stored, repeated: stored.traceparent !== request.traceparent };
  throw new InvalidInputError(
    'key_conflict',
    [`--key: ${JSON.stringify(request.key)} was used before, for ${request.jobId}, with another ${differing.join(', ')}`],
    {
      details: { jobId: request.jobId, differing },
    },
  );
}

/** What two submissions of one key say differently. When and by whom they were submitted does not count. */
function differences(a: FeatureRequest, b: FeatureRequest): string[] {
  const content = ({ repository, branch, priority, feature, workflow }: FeatureRequest) => ({
    repository,
    branch,
    priority,
    ...feature,
    ...workflow,
  });
  const [one, other]: Record<string, unknown>[] = [content(a), content(b)];
  return [...new Set([...Object.keys(one ?? {}), ...Object.keys(other ?? {})])].filter(
    (name) => !isDeepStrictEqual(one?.[name], other?.[name]),
  );
}

/** No answer at all, or one that says that the server is not ready. */
function mayPass(error: unknown): boolean {
  return isUnanswered(error) || (error instanceof JetStreamApiError && error.status >= 500);
}

/** Nobody listens on the subject: there is no such stream, or no leader of it at the moment. */
function isNobodyThere(error: unknown): boolean {
  return error instanceof Error && /no ?responders|jetstream ?not ?enabled/i.test(`${error.name} ${error.message}`);
}

/** Waiting does not make a stream, but it does make a leader. */
async function isStreamMissing(nc: NatsConnection): Promise<boolean> {
  const jsm = await jetstreamManager(nc, { checkAPI: false });
  return jsm.streams.info(STREAMS.requests).then(
    () => false,
    (error: unknown) => isNobodyThere(error) || (error instanceof JetStreamApiError && error.status === 404),
  );
}

function unconfirmed(request: FeatureRequest, cause: unknown): UnreachableError {
  return new UnreachableError(
    'submit_unconfirmed',
    `NATS does not answer (${messageOf(cause)}): it is not known whether ${request.jobId} is stored. Look with "multi-agent job-status ${request.jobId}".`,
    { cause, details: { jobId: request.jobId } },
  );
}

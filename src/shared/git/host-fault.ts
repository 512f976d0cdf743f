import { RetryableError, messageOf } from '../errors/errors.ts';

const CODES: ReadonlyMap<unknown, string> = new Map([
  ['ENOSPC', 'disk_full'],
  ['EDQUOT', 'disk_full'],
  ['EIO', 'disk_failed'],
  ['EMFILE', 'too_many_files'],
  ['ENFILE', 'too_many_files'],
  ['ENOMEM', 'host_busy'],
  ['EAGAIN', 'host_busy'],
]);

/** Does what it does; what this host is short of just now is thrown as `hostFault` says, and comes again until there is room. */
export async function withHostFaults<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw hostFault(error) ?? error;
  }
}

/**
 * `RetryableError` `disk_full`, `disk_failed`, `too_many_files` or `host_busy` for what Node throws where the host, not the
 * work, is at fault; undefined for anything else.
 */
export function hostFault(error: unknown): RetryableError | undefined {
  // Not by `instanceof Error`: see `hasErrorCode`.
  const name = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  const code = CODES.get(name);
  return code === undefined ? undefined : new RetryableError(code, messageOf(error), { cause: error });
}

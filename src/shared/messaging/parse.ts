import { z } from 'zod';
import { messageOf, TerminalError } from '../errors/errors.ts';
import type { Delivery } from './delivery.ts';

/**
 * A delivery's payload as the message it should be.
 *
 * @throws TerminalError `invalid_message` naming every fault: the same message will never be another one
 */
export function parseDelivery<T>(delivery: Pick<Delivery, 'data'>, schema: z.ZodType<T>): T {
  const parsed = schema.safeParse(parseJson(delivery.data));
  if (parsed.success) return parsed.data;
  throw new TerminalError('invalid_message', z.prettifyError(parsed.error), { cause: parsed.error });
}

function parseJson(data: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(data));
  } catch (error) {
    throw new TerminalError('invalid_message', `Not JSON: ${messageOf(error)}`, { cause: error });
  }
}

/** The JSON of a payload that may be anything; null where it is none. */
export function jsonOrNull(data: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(data));
  } catch {
    return null;
  }
}

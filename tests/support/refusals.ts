import { readFile } from 'node:fs/promises';

/**
 * What a NATS server refused to somebody who was let in, as its log says. Whoever is refused hears of it by the way, if at all, and mostly
 * only waits in vain: so whole systems are asked at their end.
 */
export async function refusalsIn(log: string): Promise<string[]> {
  const text = await readFile(log, 'utf8').catch(() => '');
  return text.split('\n').filter((line) => line.includes('Violation'));
}

/** @throws Error with what the server refused, if it did */
export async function requireNoRefusals(log: string): Promise<void> {
  const refusals = await refusalsIn(log);
  if (refusals.length > 0) throw new Error(`nats-server refused what the system itself wanted:\n${[...new Set(refusals)].join('\n')}`);
}

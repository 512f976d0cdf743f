import { z } from 'zod';

export const PRIORITIES = ['low', 'normal', 'high', 'urgent'] as const;
export const Priority = z.enum(PRIORITIES);
export type Priority = z.infer<typeof Priority>;

/** The next higher level, where the top stays the top: how a conflict round gets in front of its own priority. */
export function raised(priority: Priority): Priority {
  return PRIORITIES[PRIORITIES.indexOf(priority) + 1] ?? 'urgent';
}

const STRICT: readonly Priority[] = ['urgent', 'high', 'normal', 'low'];

/**
 * In which order an agent asks the queues for its `turn`-th task.
 *
 * Mostly strict, the highest first. Every 4th turn starts at `high`, every 8th at `normal`, every 16th at `low`: so each
 * level below `urgent` has a share of its own, and none starves however long the queues above it are.
 */
export function pullOrder(turn: number): readonly Priority[] {
  const first = turn % 16 === 15 ? 'low' : turn % 8 === 7 ? 'normal' : turn % 4 === 3 ? 'high' : 'urgent';
  return [first, ...STRICT.filter((level) => level !== first)];
}

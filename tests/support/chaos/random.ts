import { createHash } from 'node:crypto';

/** Chance that can be had again: the same seed gives the same numbers. */
export interface Random {
  /** From 0, below 1. */
  next(): number;
  /** A whole number; both ends are possible. */
  between(lowest: number, highest: number): number;
  /** One of the list, which must not be empty. */
  pick<T>(list: readonly T[]): T;
  /** Whether something of this probability happens. */
  happens(probability: number): boolean;
  /** A source of its own for something else: what one of them gives does not depend on how often the others are asked. */
  apart(name: string): Random;
}

/** Mulberry32 over the hash of the seed: small, quick, and good enough to choose whom to kill. */
export function createRandom(seed: string): Random {
  let state = createHash('sha256').update(seed).digest().readUInt32LE(0);
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return {
    next,
    between: (lowest, highest) => lowest + Math.floor(next() * (highest - lowest + 1)),
    pick: (list) => {
      const picked = list[Math.floor(next() * list.length)];
      if (picked === undefined) throw new RangeError('nothing to pick from');
      return picked;
    },
    happens: (probability) => next() < probability,
    apart: (name) => createRandom(`${seed}/${name}`),
  };
}

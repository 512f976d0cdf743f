import type { Bait } from './bait.ts';

/** A repository, or a change to one, with which somebody means to have the system run, read or write something for them. */
export interface HostileRepository {
  readonly name: string;
  /** What the base branch holds. */
  readonly files?: (bait: Bait) => Readonly<Record<string, string>>;
  /** The base branch's `.multi-agent.json`. */
  readonly settings?: (bait: Bait) => object;
  /** What the runner does, as a program of bash; it begins in the workspace. */
  readonly change: (bait: Bait) => string;
  /** How it ends: as a change that is `recorded`, as a job that is `COMPLETED`, or with the code of an error. */
  readonly ends: string;
  /** What goes wrong where the same is done to a repository with stock git, and its files are read: a canary is left, or the secret is found. */
  readonly naively?: 'executes' | 'reads';
}

/** A program that leaves a canary, and passes on what it reads. */
export function attack({ canaries }: Bait, name: string): string {
  return `#!/bin/sh\\ntouch ${canaries}/${name}\\ncat\\n`;
}

/** A change as anybody makes one. */
export const WORK = 'echo work > work.txt';

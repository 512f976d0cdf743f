import { readdirSync, readFileSync } from 'node:fs';

const FIRST = 3;
/** `O_CLOEXEC` of linux/fcntl.h, in octal as /proc shows it. */
const CLOSED_ON_EXEC = 0o2000000;

/**
 * Descriptors that this process was started with, and that every program it starts would have as well: Node.js marks only those that come
 * before the first gap. A terminal, an editor or a supervisor may well leave one open with a higher number. Empty without /proc.
 */
export function inheritedDescriptors(): number[] {
  return listed()
    .map(Number)
    .filter((descriptor) => descriptor >= FIRST && isHandedOn(descriptor));
}

function listed(): string[] {
  try {
    return readdirSync('/proc/self/fdinfo');
  } catch {
    return [];
  }
}

function isHandedOn(descriptor: number): boolean {
  try {
    const flags = /^flags:\s*([0-7]+)/m.exec(readFileSync(`/proc/self/fdinfo/${String(descriptor)}`, 'utf8'))?.[1];
    return flags !== undefined && (Number.parseInt(flags, 8) & CLOSED_ON_EXEC) === 0;
  } catch {
    // The one with which the list was read.
    return false;
  }
}

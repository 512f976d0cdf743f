import { readdirSync, readFileSync } from 'node:fs';

/**
 * The pids of all processes that run with exactly this variable in their environment (zombies left out). Reads /proc
 * by itself, so that a fault of the code under test is not a fault of its test.
 */
export function pidsWith(variable: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => carries(pid, variable))
    .map(Number);
}

function carries(pid: string, variable: string): boolean {
  try {
    const isDead = /^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
    return !isDead && readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').includes(variable);
  } catch {
    return false;
  }
}

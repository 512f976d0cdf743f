import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { PROGRAMS } from './folders.mjs';
import { endChild } from './processes.mjs';

/** Programs of ours that run for as long as a benchmark does. `died` rejects when one of them ends before that: nobody would do its work. */
export function createPrograms(onEnd) {
  const { promise: died, reject } = withResolvers();
  // Who measures looks at it; until then it is nobody's fault.
  died.catch(() => undefined);
  const watch = (child, name) => {
    let isEnded = false;
    onEnd(() => {
      isEnded = true;
      return endChild(child, 2_000);
    });
    child.once('exit', (code, signal) => {
      if (!isEnded) reject(new Error(`${name} ended with ${String(code ?? signal)} while it was needed`));
    });
  };
  return {
    died,
    /** Starts one, and resolves when it says `ready` on stdout. @throws Error when it never does */
    start: async (name, ...args) => {
      const child = spawn(process.execPath, [join(PROGRAMS, name), ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
      watch(child, name);
      for await (const line of createInterface({ input: child.stdout })) if (line === 'ready') return;
      throw new Error(`${name} ended before it was ready`);
    },
  };
}

function withResolvers() {
  let reject;
  const promise = new Promise((_resolve, rejectIt) => (reject = rejectIt));
  return { promise, reject };
}

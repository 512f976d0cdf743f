import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, totalmem } from 'node:os';
import { natsServer } from './nats.mjs';
import { run } from './processes.mjs';

/** The machine, by what makes it fast or slow; nothing that would tell which one it is. */
export async function describeMachine() {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryGb: Math.round(totalmem() / 1024 ** 3),
    system: `${process.platform} ${process.arch}`,
    node: process.version,
    git: run('git', ['--version']).trim().replace('git version ', ''),
    natsServer: (await natsServer()).version,
  };
}

/** Runnable processes for each core, over the last minute: above 1 somebody else was at work, too. */
export function loadPerCore() {
  try {
    return Number((Number(readFileSync('/proc/loadavg', 'utf8').split(' ')[0]) / availableParallelism()).toFixed(1));
  } catch {
    return null;
  }
}

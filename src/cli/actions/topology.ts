import { setTimeout as delay } from 'node:timers/promises';
import type { NatsConnection } from '@nats-io/transport-node';
import { compareTopology, missingCopies, provisionTopology, type TopologyDifference } from '../../shared/messaging/provision.ts';
import { type CliContext, EXIT } from '../context.ts';
import { styleFor } from '../render/style.ts';

/** How long new copies may take to catch up (milliseconds). */
const COPIES_WITHIN_MS = 60_000;
const LOOK_EVERY_MS = 250;

/** `topology`: `{ matches, applied, differences }`. Exit 1 when NATS is not set up as planned; `--apply` makes it so. */
export async function topology(io: CliContext, { apply = false }: { apply?: boolean }): Promise<void> {
  const nc = await io.connect(apply ? { identity: 'provisioner' } : {});
  const { ackWaitMs, natsReplicas: replicas } = await io.config();
  // A retention that is another can't be changed in place: applying then says what is in the way.
  if (apply) await provisionTopology(nc, { ackWaitMs, replicas });
  const copies = await copiesMissing(nc, apply ? COPIES_WITHIN_MS : 0, io.interrupted);
  const differences = [...(await compareTopology(nc, { replicas })), ...copies];
  if (io.json()) io.printJson({ matches: differences.length === 0, applied: apply, differences });
  else await printDifferences(io, differences);
  if (differences.length > 0) io.exitWith(EXIT.failed);
}

/** Copies that were just asked for are there some seconds later. */
async function copiesMissing(nc: NatsConnection, patienceMs: number, signal: AbortSignal): Promise<TopologyDifference[]> {
  const deadline = performance.now() + patienceMs;
  for (;;) {
    const missing = await missingCopies(nc);
    if (missing.length === 0 || performance.now() >= deadline || signal.aborted) return missing;
    await delay(LOOK_EVERY_MS);
  }
}

async function printDifferences(io: CliContext, differences: readonly TopologyDifference[]): Promise<void> {
  const style = await styleFor(io, io.stdout);
  if (differences.length === 0) {
    io.print(`${style.green('✔')} NATS is set up as planned.`);
    return;
  }
  for (const { what, field, wanted, found } of differences) {
    const now = field === 'existence' ? 'missing' : `${field} is ${JSON.stringify(found)}, wanted ${JSON.stringify(wanted)}`;
    io.print(`${style.red('✘')} ${what}: ${now}`);
  }
  io.note('Set it up with: multi-agent topology --apply');
}

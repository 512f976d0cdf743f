import { z } from 'zod';

/** What passed through the servers so far, and what they keep. */
export interface Traffic {
  readonly messagesIn: number;
  readonly messagesOut: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** What JetStream has stored, all copies together. */
  readonly storedBytes: number;
}

const Varz = z.object({ in_msgs: z.number(), out_msgs: z.number(), in_bytes: z.number(), out_bytes: z.number() });
const Jsz = z.object({ store: z.number().optional(), storage: z.number().optional() });

/** Asks the monitoring endpoints of all servers (https://docs.nats.io/running-a-nats-service/nats_admin/monitoring). */
export async function readTraffic(monitors: readonly string[]): Promise<Traffic> {
  const each = await Promise.all(monitors.map(readOne));
  const sum = (pick: (traffic: Traffic) => number): number => each.reduce((total, traffic) => total + pick(traffic), 0);
  return {
    messagesIn: sum(({ messagesIn }) => messagesIn),
    messagesOut: sum(({ messagesOut }) => messagesOut),
    bytesIn: sum(({ bytesIn }) => bytesIn),
    bytesOut: sum(({ bytesOut }) => bytesOut),
    storedBytes: sum(({ storedBytes }) => storedBytes),
  };
}

export function trafficBetween(before: Traffic, after: Traffic): Traffic {
  return {
    messagesIn: after.messagesIn - before.messagesIn,
    messagesOut: after.messagesOut - before.messagesOut,
    bytesIn: after.bytesIn - before.bytesIn,
    bytesOut: after.bytesOut - before.bytesOut,
    storedBytes: after.storedBytes - before.storedBytes,
  };
}

async function readOne(monitor: string): Promise<Traffic> {
  const varz = Varz.parse(await (await fetch(`${monitor}/varz`)).json());
  const jsz = Jsz.parse(await (await fetch(`${monitor}/jsz`)).json());
  return {
    messagesIn: varz.in_msgs,
    messagesOut: varz.out_msgs,
    bytesIn: varz.in_bytes,
    bytesOut: varz.out_bytes,
    storedBytes: jsz.storage ?? jsz.store ?? 0,
  };
}

import { connect } from 'node:net';
import { z } from 'zod';

/** What is on a port: nothing, a NATS server with its name, or something that does not greet like one. */
export type PortProbe =
  { readonly kind: 'free' } | { readonly kind: 'nats'; readonly serverName: string; readonly version: string } | { readonly kind: 'other' };

/** The fields used; anything odd in them is as good as missing. */
const Greeting = z.object({ server_name: z.string().catch(''), version: z.string().catch('') });

/** Looks at `host:port` without logging in: a NATS server greets with `INFO {...}` before it asks for a credential. Never throws. */
export function probePort(port: number, host = '127.0.0.1', timeoutMs = 2_000): Promise<PortProbe> {
  return new Promise((resolve) => {
    let text = '';
    const socket = connect({ port, host });
    const settle = (probe: PortProbe): void => {
      socket.destroy();
      resolve(probe);
    };
    socket.setTimeout(timeoutMs, () => {
      settle({ kind: 'other' });
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      settle({ kind: error.code === 'ECONNREFUSED' ? 'free' : 'other' });
    });
    socket.on('end', () => {
      settle({ kind: 'other' });
    });
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      // The greeting is one line; something that sends more than this without one is no NATS server.
      if (text.includes('\r\n') || text.length > 65_536) settle(readGreeting(text));
    });
  });
}

function readGreeting(text: string): PortProbe {
  const json = /^INFO (\{.*?\})\s*\r\n/s.exec(text)?.[1];
  if (json === undefined) return { kind: 'other' };
  try {
    const { server_name: serverName, version } = Greeting.parse(JSON.parse(json));
    return { kind: 'nats', serverName, version };
  } catch {
    return { kind: 'other' };
  }
}

import { connect, createServer, type Server, type Socket } from 'node:net';
import { once } from 'node:events';

/** A TCP relay to a port of this machine, that can be made to swallow what it is given. */
export interface Wire {
  readonly port: number;
  /** From now on nothing comes through; nobody is told: connections stay open, new ones are taken and lead nowhere. */
  swallow(): void;
  /** Lets through again. Connections that lost bytes are reset first. */
  restore(): void;
  close(): Promise<void>;
}

const HOST = '127.0.0.1';

export async function openWire(target: number): Promise<Wire> {
  const sockets = new Set<Socket>();
  let swallows = false;
  const server = createServer((near) => {
    const far = swallows ? undefined : connect(target, HOST);
    for (const socket of far ? [near, far] : [near]) keep(sockets, socket);
    // Without anyone who reads it, what comes would stop the sender only when the buffers are full.
    if (!far) near.resume();
    if (!far) return;
    join(near, far, () => swallows);
    join(far, near, () => swallows);
  });
  server.listen(0, HOST);
  await once(server, 'listening');
  const reset = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    port: portOf(server),
    swallow: () => {
      swallows = true;
    },
    restore: () => {
      swallows = false;
      reset();
    },
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      reset();
      await closed;
    },
  };
}

function join(from: Socket, to: Socket, swallows: () => boolean): void {
  from.on('data', (bytes) => {
    if (!swallows() && to.writable) to.write(bytes);
  });
  from.on('close', () => {
    if (!swallows()) to.destroy();
  });
}

function keep(sockets: Set<Socket>, socket: Socket): void {
  sockets.add(socket);
  socket.on('error', () => undefined);
  socket.on('close', () => sockets.delete(socket));
  socket.setNoDelay(true);
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

import { createSocket } from 'node:dgram';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';

/** Services of the machine, by each way that there is to one. */
export interface Listeners {
  readonly variables: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

export async function listen(socketPath: string, socketName: string): Promise<Listeners> {
  const tcp = createServer((socket) => socket.destroy());
  const path = createServer((socket) => socket.destroy());
  const abstract = await listenWithoutPath(socketName);
  const udp = createSocket('udp4', (_message, { port, address }) => {
    // A shell reads a datagram byte by byte, and loses all but the first.
    udp.send('\n', port, address);
  });
  udp.bind(0, '127.0.0.1');
  await Promise.all([listening(tcp.listen(0, '127.0.0.1')), listening(path.listen(socketPath)), once(udp, 'listening')]);
  return {
    variables: { TCP: String(portOf(tcp)), UDP: String(udp.address().port), SOCKET_PATH: socketPath, SOCKET_NAME: socketName },
    close: async () => {
      const closed = [tcp, path].map((server) => once(server, 'close'));
      for (const server of [tcp, path]) server.close();
      await Promise.all([...closed, new Promise<void>((resolve) => udp.close(resolve)), abstract.close()]);
    },
  };
}

/** Node.js 20 pads such a name with zeros, up to the longest there is. */
async function listenWithoutPath(name: string): Promise<{ close(): Promise<void> }> {
  const text = `use Socket; socket(my $socket, AF_UNIX, SOCK_STREAM, 0); bind($socket, pack_sockaddr_un("\\0$ARGV[0]")) or die; listen($socket, 5);
    $| = 1; print "up\\n"; while (accept(my $client, $socket)) { close $client }`;
  const server = spawn('/usr/bin/perl', ['-e', text, name], { stdio: ['ignore', 'pipe', 'ignore'] });
  await once(server.stdout, 'data');
  return {
    close: async () => {
      const ended = once(server, 'exit');
      if (server.kill('SIGKILL')) await ended;
    },
  };
}

async function listening(server: Server): Promise<void> {
  await once(server, 'listening');
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

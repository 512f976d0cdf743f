#!/usr/bin/env node
// Inside a sandbox without a network: has 127.0.0.1:<port> lead to a Unix socket, while the command given runs. bridge.mjs <socket> <port> <command...>
import { spawn } from 'node:child_process';
import { connect, createServer } from 'node:net';

const [, , socket, port, command, ...args] = process.argv;
const server = createServer((client) => {
  const upstream = connect(socket);
  const end = () => {
    client.destroy();
    upstream.destroy();
  };
  client.on('error', end).on('close', end).pipe(upstream);
  upstream.on('error', end).on('close', end).pipe(client);
});
server.listen(Number(port), '127.0.0.1', () => {
  const child = spawn(command, args, { stdio: 'inherit' });
  for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => child.kill(signal));
  child.on('error', () => process.exit(127));
  child.on('close', (code, signal) => process.exit(code ?? (signal === null ? 1 : 128)));
});

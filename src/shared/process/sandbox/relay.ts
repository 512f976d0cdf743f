/**
 * A program of its own, inside of a sandbox: `relay <socket> <port> <command...>`. What connects to the port of the sandbox's own 127.0.0.1
 * reaches the socket, which is bound to something outside; the command is started when that is so, and its end is the relay's.
 */
import { spawn } from 'node:child_process';
import { connect, createServer, type Socket } from 'node:net';

const [socket = '', port = '', program = '', ...words] = process.argv.slice(2);

const server = createServer({ allowHalfOpen: true }, (inner) => {
  join(inner, connect({ path: socket, allowHalfOpen: true }));
});
server.listen(Number(port), '127.0.0.1', () => {
  const child = spawn(program, words, { stdio: 'inherit' });
  child.once('error', (error: NodeJS.ErrnoException) => {
    process.stderr.write(`${program} could not be started: ${error.message}\n`);
    process.exit(error.code === 'ENOENT' ? 127 : 126);
  });
  child.once('exit', (code, signal) => {
    if (signal === null) process.exit(code ?? 1);
    process.kill(process.pid, signal);
  });
});

function join(one: Socket, other: Socket): void {
  for (const [from, to] of [
    [one, other],
    [other, one],
  ] as const) {
    from.pipe(to);
    // Reset, and not only closed: a program that has not asked yet would not hear of it.
    from.on('error', () => to.resetAndDestroy());
  }
}

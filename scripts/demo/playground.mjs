/**
 * Where a run of the demo lives: a folder of its own below `.multi-agent-demo`, so that two at once do not meet. The sample repository stays
 * after a run, to be looked at; the next run takes it away, and ends what a run that was killed has left running.
 */
import { mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { endProcesses, isRunning, processesWith } from './processes.mjs';

/** PM2 listens on sockets in its home, and a socket's path has room for 107 characters. */
const LONGEST_SOCKET_PATH = 107;
/** `run-<process id>-<chance>`: the name says from the first moment on whose it is. */
const RUN = /^run-(\d+)-/;
/** Of the caller's environment; nothing else reaches the demo's system, least of all where the user's own one is. */
const PASSED_ON =
  /^(PATH|HOME|USER|LOGNAME|LANG|LC_.*|TZ|TMPDIR|TERM|COLORTERM|NO_COLOR|FORCE_COLOR|CI|HEALTH_PORT|(https?|no|all)_proxy|SSL_CERT_.*|NODE_EXTRA_CA_CERTS)$/i;

/** A new playground below `base`, or below the temporary folder where that can't be used. */
export async function openPlayground(base) {
  const parent = usableParent(base);
  await clearEarlierRuns(parent);
  const folder = mkdtempSync(join(parent, `run-${process.pid}-`));
  const playground = {
    folder,
    repository: join(folder, 'app'),
    recording: join(folder, 'recording.jsonl'),
    /** A nats-server that had to be fetched is kept for the next run. */
    cache: parent,
    environment: {
      ...Object.fromEntries(Object.entries(process.env).filter(([name]) => PASSED_ON.test(name))),
      ...homesIn(folder),
      PATH: `${process.env.PATH ?? '/usr/local/bin:/usr/bin:/bin'}:${join(parent, 'bin')}`,
      NATS_PORT: process.env.NATS_PORT || String(await freePort()),
    },
  };
  for (const path of [playground.repository, ...Object.values(homesIn(folder))]) mkdirSync(path, { recursive: true, mode: 0o700 });
  return playground;
}

/** Ends whatever still runs for this playground, and removes all of it but the sample repository. Gives the ids of what it had to end. */
export async function closePlayground(folder) {
  const ended = await endProcesses(() => processesOf(folder));
  for (const path of Object.values(homesIn(folder))) rmSync(path, { recursive: true, force: true, maxRetries: 5 });
  return ended;
}

/** The ids of what runs for this playground. */
export function processesOf(folder) {
  return processesWith(Object.entries(homesIn(folder)).map(([name, value]) => `${name}=${value}`));
}

/** A port of 127.0.0.1 that nothing listens on right now. */
export async function freePort() {
  const server = createServer();
  await new Promise((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const homesIn = (folder) => ({ MULTI_AGENT_HOME: join(folder, 'home'), PM2_HOME: join(folder, 'pm2') });

function usableParent(base) {
  const longest = join(base, 'run-1234567-123456', 'pm2', 'interactor.sock').length;
  if (longest <= LONGEST_SOCKET_PATH) {
    try {
      mkdirSync(base, { recursive: true });
      writeFileSync(join(base, '.gitignore'), '*\n');
      return realpathSync(base);
    } catch (error) {
      if (!['EACCES', 'EPERM', 'EROFS', 'ENOSPC'].includes(error.code)) throw error;
    }
  }
  // Named after the user: the temporary folder is everybody's, and another user's folder there could not be written to.
  const fallback = join(tmpdir(), `multi-agent-demo-${process.getuid?.() ?? 'user'}`);
  mkdirSync(fallback, { recursive: true, mode: 0o700 });
  return realpathSync(fallback);
}

async function clearEarlierRuns(parent) {
  for (const name of readdirSync(parent)) {
    const pid = RUN.exec(name)?.[1];
    if (pid === undefined || isRunning(Number(pid))) continue;
    await closePlayground(join(parent, name));
    rmSync(join(parent, name), { recursive: true, force: true, maxRetries: 5 });
  }
}

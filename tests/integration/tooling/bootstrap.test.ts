import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, copyFile, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

const scripts = fileURLToPath(new URL('../../../scripts/', import.meta.url));

/** Stands for the compiler: notes that it ran, and takes as long as BUILD_MS says. */
const BUILD = `
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
appendFileSync('builds', '+');
if (readFileSync('src/main.ts', 'utf8').includes('fault')) { console.log('src/main.ts(1,1): error'); process.exit(2); }
await new Promise((resolve) => setTimeout(resolve, Number(process.env.BUILD_MS ?? 0)));
mkdirSync('dist/cli', { recursive: true });
writeFileSync('dist/cli/main.js', '');
`;

let root = '';

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'multi-agent-bootstrap-'));
  for (const folder of ['scripts', 'src', 'node_modules']) await mkdir(join(root, folder));
  for (const name of ['bootstrap.mjs', 'bootstrap-lock.mjs']) await copyFile(join(scripts, name), join(root, 'scripts', name));
  await writeFile(join(root, 'scripts', 'build.mjs'), BUILD);
  await writeFile(join(root, 'src', 'main.ts'), 'export {};\n');
  const nothing = JSON.stringify({ lockfileVersion: 3, packages: {} });
  await writeFile(join(root, 'package-lock.json'), nothing);
  await writeFile(join(root, 'node_modules', '.package-lock.json'), nothing);
});

afterEach(async () => {
  await rm(root, { recursive: true, force: true });
});

function start(environment: Record<string, string> = {}): ChildProcess {
  return spawn(process.execPath, [join(root, 'scripts', 'bootstrap.mjs')], {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'ignore', 'pipe'],
    // A group of its own, so that its compiler can be killed with it.
    detached: true,
  });
}

async function ended(child: ChildProcess): Promise<{ code: number | null; said: string }> {
  let said = '';
  child.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString()));
  await once(child, 'close');
  return { code: child.exitCode, said };
}

const builds = async (): Promise<number> => (await readFile(join(root, 'builds'), 'utf8')).length;
const lockExists = async (): Promise<boolean> =>
  stat(join(root, '.multi-agent-bootstrap.lock', 'owner')).then(
    () => true,
    () => false,
  );

describe('bootstrap', () => {
  it('builds what is not built, and does nothing the second time', async () => {
    const first = await ended(start());
    const second = await ended(start());

    expect([first.code, second.code]).toEqual([0, 0]);
    expect(second.said).toBe('');
    expect(await builds()).toBe(1);
  });

  it('builds again when a source has changed', async () => {
    await ended(start());
    await appendFile(join(root, 'src', 'main.ts'), '// more\n');

    await ended(start());

    expect(await builds()).toBe(2);
  });

  it('builds once when two are started together', async () => {
    const results = await Promise.all([ended(start({ BUILD_MS: '300' })), ended(start({ BUILD_MS: '300' }))]);

    expect(results.map(({ code }) => code)).toEqual([0, 0]);
    expect(await builds()).toBe(1);
  });

  it('takes over the lock of one that was killed', async () => {
    const killed = start({ BUILD_MS: '60000' });
    const gone = ended(killed);
    while (!(await lockExists())) await new Promise((resolve) => setImmediate(resolve));
    process.kill(-Number(killed.pid), 'SIGKILL');
    await gone;

    const next = await ended(start());

    expect(next.code).toBe(0);
    expect(await lockExists()).toBe(false);
  });

  it('says what the compiler said, with exit 1, and tries again the next time', async () => {
    await writeFile(join(root, 'src', 'main.ts'), 'fault');

    const failed = await ended(start());
    await writeFile(join(root, 'src', 'main.ts'), 'mended');
    const mended = await ended(start());

    expect(failed.code).toBe(1);
    expect(failed.said).toContain('src/main.ts(1,1): error');
    expect(mended.code).toBe(0);
  });

  it('says that the registry cannot be reached, with exit 3', async () => {
    await rm(join(root, 'node_modules'), { recursive: true });
    const dependency = { version: '1.0.0', integrity: 'sha512-AAAA' };
    const manifest = { name: 'sample', version: '1.0.0', dependencies: { absent: '1.0.0' } };
    await writeFile(join(root, 'package.json'), JSON.stringify(manifest));
    const packages = { '': manifest, 'node_modules/absent': dependency };
    await writeFile(join(root, 'package-lock.json'), JSON.stringify({ ...manifest, lockfileVersion: 3, packages }));
    const offline = {
      npm_config_registry: 'http://127.0.0.1:9',
      npm_config_fetch_retries: '0',
      npm_config_cache: join(root, 'cache'),
    };

    const failed = await ended(start(offline));

    expect(failed.code).toBe(3);
    expect(failed.said).toContain("The package registry can't be reached");
  });
});

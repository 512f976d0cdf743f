import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { git, makeRepository, RUNNERS } from '../support/in-process-system.ts';
import { createTestHome, type TestHome } from '../support/pm2-home.ts';

// What a user gets who installs the package: nothing of the clone is there but what `npm pack` takes along.
jest.setTimeout(240_000);

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
let folder: string;
let home: TestHome;
let repository: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ma-packed-'));
  execFileSync('npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', folder], { cwd: ROOT });
  const [tarball] = readdirSync(folder);
  writeFileSync(join(folder, 'package.json'), '{ "private": true }');
  execFileSync('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', '--silent', join(folder, tarball ?? '')], { cwd: folder });
  home = await createTestHome({
    CODER_COMMAND: `node ${RUNNERS}/coder.mjs`,
    REVIEWER_COMMAND: `node ${RUNNERS}/reviewer.mjs`,
  });
  repository = await makeRepository();
}, 240_000);

afterAll(async () => {
  multiAgent('down');
  await home.remove();
  rmSync(folder, { recursive: true, force: true });
  rmSync(repository, { recursive: true, force: true });
});

function multiAgent(...args: readonly string[]) {
  return spawnSync(join(folder, 'node_modules/.bin/multi-agent'), args, { cwd: folder, env: home.env, encoding: 'utf8' });
}

describe('the package, installed in another folder', () => {
  it('shows its help and its version', () => {
    const help = multiAgent('--help');
    const version = multiAgent('--version');

    expect([help.status, version.status]).toEqual([0, 0]);
    expect(help.stdout).toContain('submit-feature');
    expect(version.stdout.trim()).toMatch(/^\d+\.\d+\.\d+$/);
  });

  it('starts the system and brings a job to its merge', () => {
    const up = multiAgent('up', '--json');
    const job = multiAgent('submit-feature', '--json', '--repo', repository, '--title', 'A feature', '--description', 'Do it.', '--wait');

    expect({ status: up.status, stderr: up.stderr }).toMatchObject({ status: 0 });
    expect(job.status).toBe(0);
    expect(JSON.parse(job.stdout)).toMatchObject({ status: 'COMPLETED', changeRequest: { merged: true } });
    expect(git(repository, 'rev-list', '--first-parent', '--count', 'main')).toBe('2');
  });

  it('leaves nothing running', () => {
    const down = multiAgent('down');
    const status = multiAgent('status', '--json');

    expect([down.status, status.status]).toEqual([0, 3]);
  });
});

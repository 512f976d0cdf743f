import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { z } from 'zod';
import { homePaths } from '../../src/shared/config/home.ts';
import { embeddedServerPid } from '../../src/shared/nats-server/embedded.ts';
import { waitFor } from '../support/crash/run-points.ts';
import { git, makeRepository } from '../support/in-process-system.ts';
import { createTestHome, type TestHome } from '../support/pm2-home.ts';

jest.setTimeout(900_000);

const run = promisify(execFile);
const CLI = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const PROGRAMS = fileURLToPath(new URL('../support/crash/programs', import.meta.url));
const JOBS = 3;
const ShownJob = z.object({ id: z.string(), status: z.string(), error: z.object({ code: z.string() }).optional() });

describe("PM2's daemon killed in the middle of jobs", () => {
  let test: TestHome;
  let env: Record<string, string>;
  const repositories: string[] = [];

  beforeAll(async () => {
    test = await createTestHome();
    const programs = { coder: `sh ${PROGRAMS}/coder.sh ${test.folder}`, reviewer: `sh ${PROGRAMS}/reviewer.sh ${test.folder}` };
    env = {
      ...test.env,
      CODER_COMMAND: programs.coder,
      REVIEWER_COMMAND: programs.reviewer,
      MULTI_AGENT_ACK_WAIT_MS: '3000',
      MULTI_AGENT_DRAIN_MS: '500',
    };
    await cli('up', '--coders', '2');
  });
  afterAll(async () => {
    rmSync(join(test.folder, 'hold'), { force: true });
    await cli('down').catch(() => undefined);
    await test.remove();
    await Promise.all(repositories.map((repository) => rm(repository, { recursive: true, force: true })));
  });

  it.each(['at once', 'after its daemons have noticed'])('and `up` %s: the system is back, and each job is done once', async (when) => {
    writeFileSync(join(test.folder, 'hold'), '');
    const jobs = await Promise.all(Array.from({ length: JOBS }, submit));
    await waitFor(() => runs().filter((line) => jobs.some(({ id }) => line.startsWith(`start ${id}`))).length >= 2);
    const pid = (await test.pm2Pid()) ?? 0;
    process.kill(pid, 'SIGKILL');
    if (when !== 'at once') await waitFor(async () => daemonsOf(test.home).length === 0);

    await cli('up', '--coders', '2');
    rmSync(join(test.folder, 'hold'));

    for (const { id, repository } of jobs) {
      await waitFor(async () => !['PENDING', 'IN_PROGRESS'].includes((await job(id)).status), 60_000);
      expect(await job(id)).toEqual({ id, status: 'COMPLETED' });
      expect(git(repository, 'rev-list', '--first-parent', '--count', 'main')).toBe('2');
      expect(git(repository, 'for-each-ref', '--format=%(refname)')).toBe('refs/heads/main');
      expect(git(repository, 'status', '--porcelain')).toBe('');
    }
    expect(await test.pm2Pid()).not.toBe(pid);
    // One of each: none of the orphans is left beside what was started in their place.
    expect(daemonsOf(test.home).sort()).toEqual(['coder-1', 'coder-2', 'repo-manager-1', 'reviewer-1']);
    expect(await embeddedServerPid(homePaths(test.home))).toBeDefined();
    expect(JSON.parse(await cli('status', '--json'))).toMatchObject({ healthy: true });
    await waitFor(() => readdirSync(homePaths(test.home).worktrees).length === 0);
  });

  async function submit(): Promise<{ id: string; repository: string }> {
    const repository = await makeRepository();
    repositories.push(repository);
    const printed = await cli('submit-feature', '--repo', repository, '--title', 'A feature', '--description', 'Do it.', '--json');
    return { id: ShownJob.parse(JSON.parse(printed)).id, repository };
  }

  async function job(id: string): Promise<z.infer<typeof ShownJob>> {
    return ShownJob.parse(JSON.parse(await cli('job-status', id, '--json')));
  }

  function runs(): string[] {
    const file = join(test.folder, 'runs');
    return existsSync(file) ? readFileSync(file, 'utf8').split('\n').filter(Boolean) : [];
  }

  async function cli(...args: string[]): Promise<string> {
    return (await run(process.execPath, [CLI, ...args], { env, timeout: 90_000 })).stdout;
  }
});

/** The ids of the agents of a home that have a process. */
function daemonsOf(home: string): string[] {
  return readdirSync('/proc').flatMap((pid) => {
    const variables = environmentOf(pid);
    const id = variables.find((variable) => variable.startsWith('AGENT_ID='))?.slice('AGENT_ID='.length);
    const isRunner = variables.some((variable) => variable.startsWith('MULTI_AGENT_RUN='));
    return id !== undefined && !isRunner && variables.includes(`MULTI_AGENT_HOME=${home}`) ? [id] : [];
  });
}

function environmentOf(pid: string): string[] {
  try {
    if (/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))) return [];
    return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
  } catch {
    return [];
  }
}

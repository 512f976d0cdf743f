import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { eachCli } from '../../support/e2e/cli.ts';
import { environmentOf } from '../../support/e2e/processes.ts';
import { writes } from '../../support/e2e/script.ts';
import { StatusShape } from '../../support/e2e/shapes.ts';
import type { Shared } from './shared.ts';

/** What is in the environment of `up` goes to who needs it, and to nobody else. */
export function secretScenarios({ stage, system, canaries }: Shared): void {
  it.concurrent('keeps what is in the environment of up from agents, runners, logs and records', async () => {
    // The repository asks for all of it.
    const settings = JSON.stringify({ env: ['A_STRANGER', 'GITHUB_TOKEN'] });
    const { run, runs, cli, env } = stage('canary', { 'README.md': '# sample\n', '.multi-agent.json': settings });
    const { job } = await run({
      coder: [{ steps: [{ tellEnvironment: true }, writes('done.txt')] }],
      reviewer: [{ steps: [{ tellEnvironment: true }, { verdict: { decision: 'APPROVE', summary: 'fine' } }] }],
    });

    const { agents, nats } = StatusShape.parse((await cli('status', '--json')).json());
    const said = await eachCli(
      env,
      [['logs', job.id], ['show', job.id], ['config'], ['doctor']].map((args) => [...args, '--json']),
    );

    expect(job.status).toBe('COMPLETED');
    for (const pid of [nats.pid, ...agents.map((agent) => agent.pid)]) {
      const environment = environmentOf(Number(pid));
      expect(environment).toContain('MULTI_AGENT_HOME=');
      for (const secret of Object.values(canaries)) expect(environment).not.toContain(secret);
    }
    for (const one of runs()) {
      expect(JSON.stringify(one.env)).not.toContain(canaries.stranger);
      expect(JSON.stringify(one.env)).not.toContain(canaries.forge);
    }
    for (const { stdout, stderr } of said) {
      expect(stdout + stderr).not.toContain(canaries.stranger);
      expect(stdout + stderr).not.toContain(canaries.forge);
    }
    expect(filesWith(system().home.home, canaries.stranger)).toEqual([]);
    expect(filesWith(system().home.home, canaries.forge)).toEqual(['run/repo-manager.env']);
    expect(statSync(join(system().home.home, 'run/repo-manager.env')).mode & 0o077).toBe(0);
  });

  it.concurrent('keeps the key of a model from the runner, and so out of logs, change request and merge', async () => {
    const { run, runs, cli, repository } = stage('model-key');
    const { job } = await run({ coder: [{ steps: [writes('done.txt'), { tellEnvironment: true }] }] });

    const logs = await cli('logs', job.id, '--json');
    const show = await cli('show', job.id, '--json');

    expect(job.status).toBe('COMPLETED');
    expect(runs()[0]?.env['ANTHROPIC_API_KEY']).toMatch(/^run-/);
    expect(runs()[0]?.env['ANTHROPIC_BASE_URL']).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/anthropic$/);
    expect(logs.stdout).toContain('ANTHROPIC_API_KEY');
    expect(logs.stdout).not.toContain(canaries.model);
    expect(show.stdout).not.toContain(canaries.model);
    expect(repository.git('log', '--format=%B', 'main')).not.toContain(canaries.model);
  });
}

/** The files below a folder that hold the text; their paths in it. */
function filesWith(folder: string, text: string): string[] {
  const paths = readdirSync(folder, { recursive: true }) as string[];
  return paths.filter((path) => {
    try {
      return readFileSync(join(folder, path)).includes(text);
    } catch {
      // A directory, a socket, or gone meanwhile.
      return false;
    }
  });
}

import { randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { eachCli } from '../support/e2e/cli.ts';
import { environmentOf, processesOf } from '../support/e2e/processes.ts';
import { StatusShape } from '../support/e2e/shapes.ts';
import { createStage } from '../support/e2e/stage.ts';
import { createScriptedHome, removeHome, startSystem, type TestSystem } from '../support/e2e/system.ts';
import type { TestHome } from '../support/pm2-home.ts';
import { commandLineScenarios } from './scenarios/command-line.ts';
import { mergeScenarios } from './scenarios/merging.ts';
import { personScenarios } from './scenarios/person.ts';
import { repositoryScenarios } from './scenarios/repositories.ts';
import { roundScenarios } from './scenarios/rounds.ts';
import { runnerScenarios } from './scenarios/runners.ts';
import { secretScenarios } from './scenarios/secrets.ts';
import type { Shared } from './scenarios/shared.ts';

// Scenarios that need nothing of their own but a repository: one system for all of them, several at a time.
const START_MS = 90_000;
jest.setTimeout(180_000);

const canaries = { stranger: canary(), forge: canary(), model: canary() };
let home: TestHome | undefined;
let system: TestSystem | undefined;

beforeAll(async () => {
  home = await createScriptedHome({
    // More than a runner needs to start on a machine that is busy, less than anybody wants to wait for one that hangs.
    MULTI_AGENT_STALL_MS: '8000',
    A_STRANGER: canaries.stranger,
    GITHUB_TOKEN: canaries.forge,
    ANTHROPIC_API_KEY: canaries.model,
  });
  system = await startSystem(home, { coders: 4, reviewers: 2 });
}, START_MS);

afterAll(async () => {
  await system?.stop();
  if (home) await removeHome(home);
}, START_MS);

const shared: Shared = {
  canaries,
  system: () => {
    if (!system) throw new Error('the system did not start');
    return system;
  },
  stage: (name, files) => createStage(shared.system().env, join(shared.system().home.folder, 'stages', name), files),
};

describe('a running system', () => {
  repositoryScenarios(shared);
  mergeScenarios(shared);
  runnerScenarios(shared);
  roundScenarios(shared);
  personScenarios(shared);
  commandLineScenarios(shared);
  secretScenarios(shared);

  // After all of the others: those run side by side, this one by itself.
  it('is left with no workspace in use, no claim, no process and no dead letter', async () => {
    const { env, home: at } = shared.system();

    const results = await eachCli(
      env,
      [['gc'], ['dead', 'list'], ['topology'], ['status']].map((args) => [...args, '--json']),
    );

    const [garbage, dead, topology, status] = results.map((result) => result.json());
    expect(garbage).toEqual({ worktrees: [], claims: [] });
    expect(dead).toEqual({ letters: [] });
    expect(topology).toMatchObject({ matches: true });
    expect(StatusShape.parse(status).agents.filter(({ state }) => state !== 'idle')).toEqual([]);
    expect(readdirSync(join(at.home, 'worktrees'))).toEqual([]);
    expect(processesOf(at.home).filter((pid) => environmentOf(pid).includes('MULTI_AGENT_RUN='))).toEqual([]);
  });
});

function canary(): string {
  return `canary-${randomBytes(12).toString('hex')}`;
}

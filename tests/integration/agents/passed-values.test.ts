import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { jetstreamManager } from '@nats-io/jetstream';
import { STREAMS } from '../../../src/shared/messaging/topology.ts';
import { scriptedRequest } from '../../support/feature-script.ts';
import { git, type InProcessSystem, makeRepository, startSystem } from '../../support/in-process-system.ts';

const CANARY = 'canary-7f3a9c';
let system: InProcessSystem;
let repository: string;

beforeAll(async () => {
  system = await startSystem({
    coder: `sh -c 'echo x > a.txt; git add a.txt; git commit -qm "with $CANARY_TOKEN"; echo done'`,
    reviewer: 'node {bin}/reviewer.mjs',
    passed: { CANARY_TOKEN: CANARY },
  });
  const print = ['sh', '-c', 'echo "token $CANARY_TOKEN"'];
  repository = await makeRepository({ '.multi-agent.json': JSON.stringify({ env: ['CANARY_TOKEN'], setup: [print], checks: [print] }) });
});
afterAll(async () => {
  await system.stop();
  await rm(repository, { recursive: true, force: true });
});

it('shows no value that was let through: in no log, no record, no commit', async () => {
  const job = await system.finished(await system.submit(scriptedRequest(repository)));

  const shown = [
    JSON.stringify(job),
    await stored(STREAMS.logs),
    await stored(STREAMS.events),
    git(repository, 'log', '--all', '--format=%B'),
  ];
  expect(job).toMatchObject({ status: 'COMPLETED', checks: [{ output: 'token [redacted]\n' }], summary: 'done\n\nwith [redacted]' });
  expect(shown.join('\n')).not.toContain(CANARY);
  expect(shown[1]).toContain('token [redacted]');
});

async function stored(stream: string): Promise<string> {
  const jsm = await jetstreamManager(system.nc);
  const { state } = await jsm.streams.info(stream);
  const texts: string[] = [];
  for (let seq = state.first_seq; seq <= state.last_seq; seq++) {
    texts.push((await jsm.streams.getMessage(stream, { seq }))?.string() ?? '');
  }
  return texts.join('\n');
}

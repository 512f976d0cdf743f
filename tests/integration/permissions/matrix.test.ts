import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { headers, type NatsConnection } from '@nats-io/transport-node';
import { connectNats } from '../../../src/shared/messaging/connection.ts';
import { type Identity, permissionsOf } from '../../../src/shared/messaging/permissions.ts';
import { renderPermissionsPage } from '../../../src/shared/messaging/permissions-page.ts';
import { provisionTopology } from '../../../src/shared/messaging/provision.ts';
import { startNatsServer, type TestNatsServer } from '../../support/nats-server.ts';
import { type Attempts, attemptsOf, covers, exampleOf } from './attempts.ts';

jest.setTimeout(60_000);

const EVERYBODY: readonly Identity[] = ['provisioner', 'operator', 'repo-manager-1', 'coder-1', 'coder-2', 'reviewer-1'];
const STREAMS = [
  'REQUESTS',
  'INPUTS',
  'TASKS',
  'EVENTS',
  'LOGS',
  'DEAD',
  'KV_jobs',
  'KV_open',
  'KV_claims',
  'KV_locks',
  'KV_agents',
  'OBJ_bundles',
];

/** Nobody may do this, whoever it is; written by hand. */
const FORBIDDEN = [
  ...STREAMS.flatMap((stream) => [
    `$JS.API.STREAM.DELETE.${stream}`,
    `$JS.API.STREAM.SNAPSHOT.${stream}`,
    `$JS.API.STREAM.RESTORE.${stream}`,
    `$JS.API.CONSUMER.DELETE.${stream === 'EVENTS' || stream === 'LOGS' ? 'TASKS' : stream}.x1`,
    `$JS.API.CONSUMER.LIST.${stream}`,
  ]),
  '$JS.API.STREAM.LIST',
  '$JS.API.STREAM.NAMES',
  '$JS.API.STREAM.CREATE.mine',
  '$JS.API.STREAM.PURGE.REQUESTS',
  '$JS.API.STREAM.PURGE.KV_jobs',
  '$JS.FC.TASKS.x1.x2',
  '$SYS.REQ.SERVER.PING',
  '$SYS.ACCOUNT.MULTI_AGENT.x1',
  '_INBOX.x1',
  '_INBOX_coder-1.x1',
  'x1',
];

/** What no agent that takes tasks may do: read what it was not given, make itself a consumer, delete. */
const BY_NO_AGENT = [
  ...['TASKS', 'INPUTS', 'REQUESTS', 'DEAD', 'KV_jobs'].map((stream) => `$JS.API.STREAM.MSG.GET.${stream}`),
  ...STREAMS.flatMap((stream) => [
    `$JS.API.DIRECT.GET.${stream}`,
    `$JS.API.DIRECT.GET.${stream}.x1`,
    `$JS.API.STREAM.MSG.DELETE.${stream}`,
    `$JS.API.STREAM.PURGE.${stream}`,
    `$JS.API.STREAM.CREATE.${stream}`,
    `$JS.API.STREAM.UPDATE.${stream}`,
    `$JS.API.CONSUMER.CREATE.${stream}`,
    `$JS.API.CONSUMER.CREATE.${stream}.x1`,
    `$JS.API.CONSUMER.CREATE.${stream}.x1.x2`,
    `$JS.API.CONSUMER.DURABLE.CREATE.${stream}.x1`,
  ]),
];

/** What the promises of docs/security.md come down to; by hand, so that a slip of the permissions does not go unseen. */
const NEVER: Readonly<Record<string, readonly string[]>> = {
  'coder-1': [
    'request.x1',
    'input.reviewer.x1',
    'input.command.x1',
    'input.forge.x1',
    'input.clock.x1',
    'task.coder.high',
    'task.reviewer.high',
    'event.x1.FeatureResult',
    'event.x1.ReviewFinished',
    'log.x1.x1.review.1',
    'dead.reviewer',
    'dead.repo-manager',
    'wake.reviewer',
    'cancel.x1.implement.1',
    '$KV.jobs.x1',
    '$KV.open.x1',
    '$KV.locks.x1',
    '$KV.claims.x1.review.1',
    '$KV.agents.coder-2',
    '$KV.agents.reviewer-1',
    '$O.bundles.C.coder-2.x1.x2.0',
    '$O.bundles.C.repo-manager-1.x1.x2.0',
    '$O.bundles.M.x1',
    '$JS.API.CONSUMER.MSG.NEXT.TASKS.reviewer-high',
    '$JS.API.CONSUMER.MSG.NEXT.INPUTS.repo-manager',
    '$JS.ACK.TASKS.reviewer-high.1.1.1.1.0',
    '$JS.ACK.INPUTS.repo-manager.1.1.1.1.0',
    ...BY_NO_AGENT,
  ],
  'reviewer-1': [
    'input.coder.x1',
    'input.command.x1',
    '$KV.claims.x1.implement.1',
    '$JS.API.CONSUMER.MSG.NEXT.TASKS.coder-high',
    '$KV.jobs.x1',
    ...BY_NO_AGENT,
  ],
  'repo-manager-1': [
    'request.x1',
    'input.command.x1',
    'input.reviewer.x1',
    'log.x1.x1.implement.1',
    '$KV.agents.coder-1',
    '$KV.claims.x1.implement.1',
    '$JS.API.STREAM.MSG.DELETE.KV_jobs',
    '$JS.API.STREAM.MSG.DELETE.REQUESTS',
    '$JS.API.STREAM.PURGE.TASKS',
    '$JS.API.STREAM.UPDATE.TASKS',
    '$JS.API.CONSUMER.CREATE.TASKS.x1',
  ],
  operator: [
    'event.x1.FeatureResult',
    '$KV.jobs.x1',
    '$KV.claims.x1.implement.1',
    '$JS.API.STREAM.UPDATE.TASKS',
    '$JS.API.CONSUMER.CREATE.TASKS.x1',
    '$JS.API.STREAM.PURGE.OBJ_bundles',
  ],
  provisioner: [
    'request.x1',
    'input.command.x1',
    'task.coder.high',
    '$KV.jobs.x1',
    '$JS.API.STREAM.MSG.GET.TASKS',
    '$JS.API.STREAM.PURGE.TASKS',
    '$JS.API.CONSUMER.CREATE.TASKS.x1',
  ],
};

const HEARD = [
  '>',
  '*',
  'task.>',
  'input.>',
  'event.>',
  'log.>',
  'request.*',
  'dead.*',
  'cancel.>',
  'wake.*',
  '$KV.>',
  '$O.>',
  '$JS.>',
  '$JS.API.>',
  '$JS.ACK.>',
  '$JS.EVENT.>',
  '$SYS.>',
  '_INBOX.>',
  '_R_.>',
];

let server: TestNatsServer;
const attempts = new Map<Identity, Attempts>();
const connections: NatsConnection[] = [];

beforeAll(async () => {
  server = await startNatsServer({ users: EVERYBODY });
  for (const identity of EVERYBODY) {
    const nc = await connectNats({ ...server.as(identity), name: identity });
    connections.push(nc);
    attempts.set(identity, attemptsOf(nc));
    if (identity === 'provisioner') await provisionTopology(nc);
  }
});
afterAll(async () => {
  await Promise.all(connections.map((nc) => nc.close()));
  await server.stop();
});

describe.each(EVERYBODY)('%s', (identity) => {
  const { publish, subscribe } = permissionsOf(identity);
  const subjects = [...new Set([...EVERYBODY.flatMap((one) => permissionsOf(one).publish).map(exampleOf), ...FORBIDDEN])];

  it('publishes to every subject that is documented for it, and to none of all the others', async () => {
    const documented = subjects.filter((subject) => publish.some((pattern) => covers(pattern, subject)));

    const allowed = await by(identity).publish(subjects);

    expect(allowed.sort()).toEqual(documented.sort());
    expect(allowed.filter((subject) => FORBIDDEN.includes(subject))).toEqual([]);
    expect(subjects.length - allowed.length).toBeGreaterThan(60);
  });

  it('may not do what it must never', async () => {
    const never = NEVER[identity] ?? NEVER['coder-1'] ?? [];
    const own = identity === 'coder-2' ? ['$KV.agents.coder-2', '$O.bundles.C.coder-2.x1.x2.0'] : [];

    expect(await by(identity).publish(never.filter((subject) => !own.includes(subject)))).toEqual([]);
  });

  it('hears its own answers, and what is meant for it', async () => {
    const inboxes = EVERYBODY.map((one) => `_INBOX_${one}.>`);
    const own = subscribe.filter((subject) => !subject.startsWith('_INBOX'));

    const heard = await by(identity).subscribe([...HEARD, ...inboxes, ...own]);

    expect(heard).toEqual([`_INBOX_${identity}.>`, ...own]);
  });
});

it('lets nobody wipe a bucket with a roll-up', async () => {
  const rollUp = headers();
  rollUp.set('Nats-Rollup', 'all');
  await by('coder-2').publish(['$KV.agents.coder-2'], { payload: 'mine' });

  await by('coder-1').publish(['$KV.agents.coder-1'], { payload: 'x', headers: rollUp });

  const left = await connections[1]?.request('$JS.API.STREAM.MSG.GET.KV_agents', JSON.stringify({ last_by_subj: '$KV.agents.coder-2' }));
  expect(left?.json()).toMatchObject({ message: { data: Buffer.from('mine').toString('base64') } });
});

it('docs/nats-permissions.md says what the permissions say ("npm run docs:generate" writes it anew)', async () => {
  expect(await readFile(new URL('../../../docs/nats-permissions.md', import.meta.url), 'utf8')).toBe(renderPermissionsPage());
});

function by(identity: Identity): Attempts {
  const found = attempts.get(identity);
  if (!found) throw new Error(`${identity} is not connected`);
  return found;
}

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { cli, type CliResult, type RunningCli, startCli } from '../support/e2e/cli.ts';
import { eventually } from '../support/e2e/processes.ts';
import { createRepository, type TestRepository } from '../support/e2e/repository.ts';
import { JobShape, StatusShape, UpShape } from '../support/e2e/shapes.ts';
import { removeHome } from '../support/e2e/system.ts';
import { type NatsCluster, startNatsCluster } from '../support/nats-cluster.ts';
import { createOtherMachine, type OtherMachine, whyNoOtherMachine } from '../support/other-machine.ts';
import { createTestHome, type TestHome } from '../support/pm2-home.ts';
import { refusalsIn } from '../support/refusals.ts';

jest.setTimeout(300_000);

const impossible = whyNoOtherMachine();
if (impossible !== undefined) process.stderr.write(`skipped: agents on another machine (${impossible})\n`);

/** Of so many, one at least comes to the wrong home first. */
const JOBS = 4;
/** The keys that the other machine gets. */
const LENT = ['coder-2', 'reviewer-1', 'repo-manager-3'];
const USERS = ['operator', 'repo-manager-1', 'repo-manager-2', 'coder-1', ...LENT];
const AGENTS = ['--repo-managers', '0', '--coders', '1', '--reviewers', '1'];

/** Says what of the first machine it sees, and who it is. */
const CODER = `#!/bin/sh
{ ls -A "$1"; ip -o address show scope global; } > seen.txt
echo "$MULTI_AGENT_JOB_ID" > job.txt
`;
const REVIEWER = `#!/bin/sh
echo '{"decision":"APPROVE","summary":"fine","comments":[]}'
`;

(impossible === undefined ? describe : describe.skip)('agents on another machine, with NATS_URL and a credential alone', () => {
  let first: TestHome;
  let other: OtherMachine;
  let cluster: NatsCluster;
  let repository: TestRepository;
  let env: Readonly<Record<string, string>>;
  const ups: RunningCli[] = [];

  beforeAll(async () => {
    first = await createTestHome();
    repository = createRepository(join(first.folder, 'repository'));
    other = createOtherMachine([first.folder]);
    cluster = await startNatsCluster({ host: other.hostAddress, users: USERS });
    env = { ...first.env, NATS_URL: cluster.url, NATS_NKEY_FILE: cluster.as('operator').nkeyFile };
    ups.push(await ready(startCli(env, 'up', '--foreground', '--json', '--repo-managers', '2', '--coders', '1', '--reviewers', '0')));
    ups.push(await ready(startAgents()));
  });
  afterAll(async () => {
    for (const { child } of ups) child.kill('SIGTERM');
    await Promise.all(ups.map(({ ended }) => ended));
    await other.remove();
    await cluster.stop();
    await removeHome(first);
  });

  it('bring a job to its end, on a repository they have no way to', async () => {
    const submission = ['--repo', repository.path, '--title', 'A feature', '--description', 'Do it.'];

    const result = await cli(env, 'submit-feature', '--json', '--wait', ...submission);

    expect([result.code, JobShape.parse(result.json()).status]).toEqual([0, 'COMPLETED']);
    expect(repository.fileOn('main', 'seen.txt')).toMatch(/^\d+: \S+ +inet 198\.18\.\d+\.2\/30 [^\n]*\n?$/);
  });

  it('have numbers that no agent of the first machine has, and show in its status', async () => {
    const agents = StatusShape.parse((await cli(env, 'status', '--json')).json()).agents;

    expect(agents.map(({ id, healthy }) => [id, healthy])).toEqual([
      ['coder-1', true],
      ['coder-2', true],
      ['repo-manager-1', true],
      ['repo-manager-2', true],
      ['reviewer-1', true],
    ]);
  });

  it('keep the copies and leases that the first machine asked for', async () => {
    const differs = await cli({ ...env, NATS_REPLICAS: '3' }, 'topology', '--json');

    expect([differs.code, differs.json()]).toMatchObject([0, { matches: true }]);
  });

  it('may be joined by a repo-manager, which leaves to the first machine what only that one has', async () => {
    const home = join(other.folder, 'second-home');
    ups.push(await ready(startAgents(home, '--repo-managers', '1', '--coders', '0', '--reviewers', '0')));
    const submit = (n: number): Promise<CliResult> =>
      cli(env, 'submit-feature', '--json', '--repo', repository.path, '--title', `Feature ${String(n)}`, '--description', 'Do it.');
    const ids = (await Promise.all(Array.from({ length: JOBS }, (_, n) => submit(n)))).map((result) => JobShape.parse(result.json()).id);

    for (const id of ids) await eventually(`${id} ends`, async () => JobShape.parse((await show(id)).json()).phase === 'done', 120_000);

    const statuses = await Promise.all(ids.map(async (id) => JobShape.parse((await show(id)).json()).status));
    expect(statuses).toEqual(ids.map(() => 'COMPLETED'));
  });

  it('need nothing that their keys do not allow', async () => {
    const refusals = await Promise.all(cluster.logs.map(refusalsIn));

    expect(refusals.flat()).toEqual([]);
  });

  function show(id: string): Promise<CliResult> {
    return cli(env, 'job-status', '--json', id);
  }

  /** What a person does there: the keys copied, the URL set, `up`. */
  function startAgents(home = other.env['MULTI_AGENT_HOME'] ?? '', ...counts: readonly string[]): RunningCli {
    for (const identity of LENT) other.copy(cluster.as(identity).nkeyFile);
    const [coder, reviewer] = [join(other.folder, 'coder.sh'), join(other.folder, 'reviewer.sh')];
    writeFileSync(coder, CODER);
    writeFileSync(reviewer, REVIEWER);
    const settings = {
      ...other.env,
      MULTI_AGENT_HOME: home,
      NATS_URL: cluster.url,
      NATS_NKEY_FILE: join(other.folder, 'coder-2.nk'),
      CODER_COMMAND: `sh ${coder} ${first.folder}`,
      REVIEWER_COMMAND: `sh ${reviewer}`,
      MULTI_AGENT_UNSAFE_NO_SANDBOX: '1',
    };
    return other.startCli(settings, 'up', '--foreground', '--json', ...(counts.length > 0 ? counts : AGENTS));
  }

  async function ready(up: RunningCli): Promise<RunningCli> {
    await eventually('up is ready', () => up.child.exitCode !== null || up.stdout().includes('\n'));
    if (!UpShape.safeParse(JSON.parse(up.stdout() || '{}')).success) throw new Error(`not up: ${up.stdout()}${up.stderr()}`);
    return up;
  }
});

import { execFileSync } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { connectNats } from '../../../src/shared/messaging/connection.ts';
import { createTaskPuller } from '../../../src/shared/messaging/pull.ts';
import { startNatsServer, type TestNatsServer } from '../../support/nats-server.ts';
import { type CapturedRun, runCaptured } from '../cli/captured-cli.ts';

jest.setTimeout(60_000);

/** A server of one's own that demands TLS and a client's certificate, with the users that `nats users` prints. */
let folder = '';
let server: TestNatsServer;
let env: Record<string, string>;
const file = (name: string): string => join(folder, name);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ma-own-'));
  makeCertificates();
  const made = await run('nats', 'users', '--coders', '2', '--out', file('seeds'));
  server = await startNatsServer({ extra: `${made.stdout}\n${tlsOf()}` });
  env = {
    NATS_URL: `tls://localhost:${String(server.port)}`,
    NATS_NKEY_FILE: file('seeds/operator.nk'),
    NATS_CA_FILE: file('ca.pem'),
    NATS_CERT_FILE: file('client.pem'),
    NATS_KEY_FILE: file('client.key'),
  };
});
afterAll(async () => {
  await server.stop();
  await rm(folder, { recursive: true });
});

describe('nats users', () => {
  it('makes a seed for everybody that only its owner can read, and prints none', async () => {
    const again = await run('nats', 'users', '--coders', '1', '--out', file('seeds'), '--json');

    const seeds = await readdir(file('seeds'));
    expect(seeds.sort()).toEqual(['coder-1.nk', 'coder-2.nk', 'operator.nk', 'provisioner.nk', 'repo-manager-1.nk', 'reviewer-1.nk']);
    for (const name of seeds) {
      expect((await stat(file(`seeds/${name}`))).mode & 0o777).toBe(0o600);
      expect(again.stdout + again.stderr).not.toContain((await readFile(file(`seeds/${name}`), 'utf8')).trim());
    }
    expect(again.json).toMatchObject({ folder: file('seeds'), configuration: expect.stringContaining('accounts {') });
    // coder-2 has its key already, and keeps it.
    expect((again.json['users'] as { identity: string }[]).map(({ identity }) => identity)).toContain('coder-2');
  });

  it('changes nothing the second time, and says what is wrong with a number', async () => {
    const [one, other] = [await run('nats', 'users', '--out', file('seeds')), await run('nats', 'users', '--out', file('seeds'))];
    const wrong = await run('nats', 'users', '--coders', 'many', '--reviewers', '-1', '--json');

    expect(other.stdout).toBe(one.stdout);
    expect([wrong.exitCode, wrong.json]).toMatchObject([2, { error: { code: 'bad_input' } }]);
  });
});

describe("a server of one's own", () => {
  it('is set up by the provisioner and read by the operator, found beside each other, over TLS', async () => {
    const before = await runCaptured(['topology', '--json'], { env });
    const applied = await runCaptured(['topology', '--apply', '--json'], { env });
    const listed = await runCaptured(['list-jobs', '--json'], { env });

    expect([before.exitCode, before.json]).toMatchObject([1, { matches: false }]);
    expect([applied.exitCode, applied.json]).toMatchObject([0, { matches: true, applied: true }]);
    expect([listed.exitCode, listed.json]).toMatchObject([0, { jobs: [] }]);
  });

  it('takes an agent with its own seed', async () => {
    const tls = { caFile: file('ca.pem'), certFile: file('client.pem'), keyFile: file('client.key') };
    const nc = await connectNats({ url: env['NATS_URL'] ?? '', name: 'coder-2', nkeyFile: file('seeds/coder-2.nk'), tls });
    const errors: unknown[] = [];
    const puller = createTaskPuller(nc, 'coder', (error) => errors.push(error));

    await expect(puller.next(AbortSignal.timeout(300))).rejects.toThrow();

    expect(errors).toEqual([]);
    await nc.close();
  });

  it("says of what an agent's seed does not allow that it is the credential", async () => {
    await mkdir(file('lent'));
    await copyFile(file('seeds/coder-2.nk'), file('lent/coder-2.nk'));
    const lent = { ...env, NATS_NKEY_FILE: file('lent/coder-2.nk') };

    const listed = await runCaptured(['list-jobs', '--json'], { env: lent });

    expect([listed.exitCode, listed.json]).toMatchObject([
      3,
      { error: { code: 'nats_refused', message: expect.stringContaining('NATS_NKEY_FILE') } },
    ]);
  });

  it.each([
    ['without a certificate of the client', { NATS_CERT_FILE: '', NATS_KEY_FILE: '' }],
    ['whose certificate nobody vouches for', { NATS_CA_FILE: '' }],
    ['with the seed of nobody', { NATS_NKEY_FILE: '' }],
  ])('is not reached %s', async (_how, missing) => {
    const refused = await runCaptured(['topology', '--json'], { env: { ...env, ...missing } });

    expect([refused.exitCode, refused.json]).toMatchObject([3, { error: { code: expect.stringMatching(/^nats_/) } }]);
  });
});

function run(...args: readonly string[]): Promise<CapturedRun> {
  return runCaptured(args, { env: { MULTI_AGENT_HOME: file('home') } });
}

/** The server's half; a client without a certificate is refused. */
function tlsOf(): string {
  return `tls { cert_file: "${file('server.pem')}", key_file: "${file('server.key')}", ca_file: "${file('ca.pem')}", verify: true }`;
}

function makeCertificates(): void {
  const openssl = (...args: readonly string[]): Buffer =>
    execFileSync('openssl', args, { cwd: folder, stdio: ['ignore', 'pipe', 'ignore'] });
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  openssl('req', '-x509', ...key, '-keyout', 'ca.key', '-out', 'ca.pem', '-subj', '/CN=test authority');
  for (const name of ['server', 'client']) {
    const signed = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-addext', 'subjectAltName=DNS:localhost', '-addext', 'basicConstraints=CA:FALSE'];
    openssl('req', '-x509', ...key, ...signed, '-keyout', `${name}.key`, '-out', `${name}.pem`, '-subj', `/CN=${name}`);
  }
}

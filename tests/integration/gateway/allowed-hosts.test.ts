import { once } from 'node:events';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { addressOf, type AllowedHost, parseAllowedHost } from '../../../src/shared/gateway/allowed-hosts.ts';
import { confine } from '../../../src/shared/gateway/confine.ts';
import { type ProcessResult, runProcess } from '../../../src/shared/process/run-process.ts';
import { openSandbox } from '../../../src/shared/process/sandbox/open-sandbox.ts';
import type { Sandbox } from '../../../src/shared/process/sandbox/sandbox.ts';

let sandbox: Sandbox;
let home: string;
let workspace: string;
let servers: Server[];
let ports: [number, number];

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'ma-hosts-'));
  workspace = join(home, 'worktrees', 'one');
  await mkdir(workspace, { recursive: true });
  sandbox = await openSandbox({ home, unsafe: false });
  servers = ['allowed', 'other'].map((name) =>
    createServer((request, response) => response.end(`${name} ${String(request.url)}\n`)).listen(0, '127.0.0.1'),
  );
  await Promise.all(servers.map((server) => once(server, 'listening')));
  ports = servers.map((server) => (server.address() as AddressInfo).port) as [number, number];
});
afterAll(async () => {
  for (const server of servers) server.close();
  await rm(home, { recursive: true, force: true });
});

/** Both forms that programs use a proxy in: a request for a whole URL, and a tunnel (which curl is asked for, and uses for TLS by itself). */
const ASK = 'for url in "$@"; do for how in "" --proxytunnel; do curl -sS --max-time 5 $how "$url" 2>&1 || echo "failed"; done; done';

function ask(hosts: readonly AllowedHost[], ...urls: string[]): Promise<ProcessResult> {
  return confine({ sandbox, home, hosts }, { writable: [workspace] }, ({ wrap, environment }) =>
    runProcess({
      argv: ['sh', '-c', ASK, 'ask', ...urls],
      cwd: workspace,
      environment: { set: environment },
      mark: 'coder-1:1',
      wallMs: 30_000,
      wrap,
    }),
  );
}

describe('out of a sandbox', () => {
  it('127.0.0.1 is its own, whatever is allowed', async () => {
    const { stdout } = await ask([{ host: '127.0.0.1', port: ports[0] }], ...ports.map((port) => `http://127.0.0.1:${String(port)}/x`));

    expect(stdout).not.toContain('other');
    expect(stdout).not.toContain('allowed');
  });

  it('a name that leads to this machine does not reach it', async () => {
    const allowed = `http://app.localhost:${String(ports[0])}/path?q=1`;
    const other = `http://app.localhost:${String(ports[1])}/path`;

    const { stdout } = await ask([{ host: 'app.localhost', port: ports[0] }], allowed, other);

    expect(stdout).not.toContain('allowed /path');
    expect(stdout).not.toContain('other');
    expect(stdout.match(/403|failed/g)?.length).toBeGreaterThanOrEqual(2);
  });

  it('a host that is named is reached, in the clear and through a tunnel, and no other port of it', async () => {
    const { stdout } = await confine(
      { sandbox, home, hosts: [{ host: 'localhost', port: ports[0] }] },
      { writable: [workspace] },
      ({ wrap, environment }) =>
        runProcess({
          argv: ['sh', '-c', ASK, 'ask', `http://localhost:${String(ports[0])}/path?q=1`, `http://localhost:${String(ports[1])}/`],
          cwd: workspace,
          environment: { set: { ...environment, NO_PROXY: '', no_proxy: '' } },
          mark: 'coder-1:1',
          wallMs: 30_000,
          wrap,
        }),
    );

    expect(stdout.match(/allowed \/path\?q=1/g)).toHaveLength(2);
    expect(stdout).not.toContain('other');
  });

  it('nothing is reached without the token of the run', async () => {
    const { stdout } = await confine(
      { sandbox, home, hosts: [{ host: 'localhost', port: ports[0] }] },
      { writable: [workspace] },
      ({ wrap, environment }) =>
        runProcess({
          argv: ['sh', '-c', ASK, 'ask', `http://localhost:${String(ports[0])}/`],
          cwd: workspace,
          environment: { set: { http_proxy: (environment['http_proxy'] ?? '').replace(/:[^:@]+@/, ':guessed@') } },
          mark: 'coder-1:1',
          wallMs: 30_000,
          wrap,
        }),
    );

    expect(stdout).not.toContain('allowed');
    expect(stdout).toContain('407');
  });
});

describe('the list of allowed hosts', () => {
  it.each([
    ['registry.npmjs.org', { host: 'registry.npmjs.org', port: 443 }],
    ['Registry.NPMJS.org', { host: 'registry.npmjs.org', port: 443 }],
    ['mirror.example.com:8080', { host: 'mirror.example.com', port: 8080 }],
    ['mirror.example.com:80', { host: 'mirror.example.com', port: 80 }],
    ['[::1]:4873', { host: '[::1]', port: 4873 }],
    ['*.example.com', undefined],
    ['https://example.com', undefined],
    ['user@example.com', undefined],
    ['example.com/path', undefined],
    ['', undefined],
  ])('takes %j for %j', (text, host) => {
    expect(parseAllowedHost(text)).toEqual(host);
  });

  it('leads to this machine only where it says so', async () => {
    const hosts = ['localhost', '127.0.0.1', '[::1]', '169.254.169.254'].map((host) => ({ host, port: 80 }));

    expect(await addressOf(hosts, '127.0.0.1', 80)).toBe('127.0.0.1');
    expect(await addressOf(hosts, '[::1]', 80)).toBe('::1');
    expect(await addressOf(hosts, 'LOCALHOST.', 80)).toMatch(/^(127\.0\.0\.1|::1)$/);
    expect(await addressOf(hosts, '127.0.0.1', 81)).toBeUndefined();
    expect(await addressOf([], '127.0.0.1', 80)).toBeUndefined();
  });
});

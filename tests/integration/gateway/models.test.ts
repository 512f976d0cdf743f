import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { ModelCall } from '../../../src/shared/gateway/forward.ts';
import { openWayOut, type WayOut } from '../../../src/shared/gateway/open-gateway.ts';
import { runProcess } from '../../../src/shared/process/run-process.ts';
import { openSandbox } from '../../../src/shared/process/sandbox/open-sandbox.ts';
import { type Sandbox, UNSAFE } from '../../../src/shared/process/sandbox/sandbox.ts';
import { until } from '../../support/until.ts';

const KEY = 'the-real-key-of-the-operator';

interface Seen {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

let upstream: Server;
let home: string;
let workspace: string;
let bubblewrap: Sandbox;
let seen: Seen[];
let answer: (response: ServerResponse, request: Seen) => void;
let calls: ModelCall[];

beforeAll(async () => {
  upstream = createServer((request, response) => {
    void (async () => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const one = { method: request.method, url: request.url, headers: request.headers, body: Buffer.concat(chunks).toString() };
      seen.push(one);
      answer(response, one);
    })().catch(() => undefined);
  }).listen(0, '127.0.0.1');
  await once(upstream, 'listening');
  home = await mkdtemp(join(tmpdir(), 'ma-models-'));
  workspace = join(home, 'worktrees', 'one');
  await mkdir(workspace, { recursive: true });
  bubblewrap = await openSandbox({ home, unsafe: false });
});
afterAll(async () => {
  upstream.closeAllConnections();
  upstream.close();
  await rm(home, { recursive: true, force: true });
});
beforeEach(() => {
  [seen, calls] = [[], []];
  answer = (response) => response.end('{"ok":true}');
});

function operatorsVariables(): Record<string, string> {
  const url = `http://127.0.0.1:${String((upstream.address() as AddressInfo).port)}`;
  return { ANTHROPIC_API_KEY: KEY, ANTHROPIC_BASE_URL: `${url}/base`, GEMINI_API_KEY: KEY, GOOGLE_GEMINI_BASE_URL: url };
}

async function withModels<T>(use: (access: WayOut) => Promise<T>, sandbox: Sandbox = UNSAFE): Promise<T> {
  const access = await openWayOut({ models: operatorsVariables(), sandbox, home, onCall: (call) => calls.push(call) });
  try {
    return await use(access);
  } finally {
    await access.close();
  }
}

function ask(
  { environment }: WayOut,
  path = '/v1/messages',
  { body = '{"model":"m"}', headers = {} }: { body?: string; headers?: Record<string, string> } = {},
): Promise<Response> {
  const all = { 'x-api-key': environment['ANTHROPIC_API_KEY'] ?? '', ...headers };
  return fetch(`${environment['ANTHROPIC_BASE_URL'] ?? ''}${path}`, { method: 'POST', body, headers: all });
}

describe('the way to a model', () => {
  it('puts the key on, which the run never sees', async () => {
    await withModels(async (access) => {
      const response = await ask(access, '/v1/messages?beta=true', {
        body: '{"a":1}',
        headers: { 'anthropic-beta': 'x', cookie: 'c' },
      });

      expect(await response.json()).toEqual({ ok: true });
      expect(JSON.stringify(access.environment)).not.toContain(KEY);
    });

    expect(seen).toMatchObject([{ method: 'POST', url: '/base/v1/messages?beta=true', body: '{"a":1}' }]);
    expect(seen[0]?.headers).toMatchObject({ 'x-api-key': KEY, 'anthropic-beta': 'x' });
    expect(seen[0]?.headers).not.toHaveProperty('cookie');
    expect(calls).toEqual([{ provider: 'anthropic', status: 200, retryAfterMs: undefined }]);
  });

  it('takes a key in a query for what it is', async () => {
    await withModels(async ({ environment }) => {
      const base = environment['GOOGLE_GEMINI_BASE_URL'] ?? '';
      await fetch(`${base}/v1beta/models/gemini-2.5-pro:generateContent?alt=sse&key=${environment['GEMINI_API_KEY'] ?? ''}`, {
        method: 'POST',
      });
    });

    expect(seen[0]).toMatchObject({ url: '/v1beta/models/gemini-2.5-pro:generateContent?alt=sse', headers: { 'x-goog-api-key': KEY } });
  });

  it.each([
    ['another key', '/v1/messages', { 'x-api-key': 'guessed' }, 401],
    ['the files of the account', '/v1/files', {}, 403],
    ['its keys', '/v1/organizations/api_keys', {}, 403],
    ['a way around', '/v1/messages/../files', {}, 403],
    ['an encoded way around', '/v1/messages/%2e%2e/files', {}, 403],
    ['another provider, without a key here', '/../openai/responses', {}, 404],
  ])('refuses %s', async (_what, path, headers, status) => {
    const refused = await withModels((access) => ask(access, path, { headers: headers }));

    expect(refused.status).toBe(status);
    expect(await refused.json()).toMatchObject({ error: { type: 'multi_agent_gateway' } });
    expect(seen).toEqual([]);
  });

  it('hands on what comes as it comes', async () => {
    let finish = (): void => undefined;
    answer = (response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream', 'set-cookie': 'a=b' });
      response.write('event: one\n\n');
      finish = () => response.end('event: two\n\n');
    };
    await withModels(async (access) => {
      const response = await ask(access);
      const reader = (response.body as ReadableStream<Uint8Array>).getReader();
      const first = await reader.read();
      finish();
      const second = await reader.read();

      expect([first, second].map(({ value }) => new TextDecoder().decode(value))).toEqual(['event: one\n\n', 'event: two\n\n']);
      expect(response.headers.get('set-cookie')).toBeNull();
    });
  });

  it.each([
    [{ 'retry-after': '7' }, 7_000],
    [{ 'retry-after-ms': '250', 'retry-after': '7' }, 250],
    [{ 'retry-after': new Date(Date.now() + 60_000).toUTCString() }, expect.closeTo(60_000, -4)],
    [{}, undefined],
  ])('tells of a limit: %j', async (headers, retryAfterMs) => {
    answer = (response) => response.writeHead(429, headers).end('{}');

    const response = await withModels((access) => ask(access));

    expect(response.status).toBe(429);
    expect(calls).toEqual([{ provider: 'anthropic', status: 429, retryAfterMs }]);
  });

  it('says so when the provider is away, and not where it is', async () => {
    answer = (response) => response.destroy();

    const response = await withModels((access) => ask(access));

    expect(response.status).toBe(502);
    expect(await response.text()).toContain('The provider could not be reached.');
  });

  it('ends with the run, whatever is under way', async () => {
    answer = () => undefined;
    let asking: Promise<unknown> = Promise.resolve();
    const environment = await withModels(async (access) => {
      asking = ask(access).catch(() => 'broken off');
      await until('it is asked', () => seen.length === 1);
      return access.environment;
    });

    expect(await asking).toBe('broken off');
    await expect(fetch(environment['ANTHROPIC_BASE_URL'] ?? '')).rejects.toThrow('fetch failed');
  });
});

const ASK_INSIDE = `
  const { ANTHROPIC_BASE_URL: base, ANTHROPIC_API_KEY: key } = process.env;
  const asked = await fetch(base + '/v1/messages', { method: 'POST', headers: { 'x-api-key': key }, body: 'x'.repeat(300000) });
  const around = await fetch(process.argv[1]).then(() => 'reached', () => 'not reached');
  console.log(JSON.stringify({ status: asked.status, text: await asked.text(), around, env: process.env }));
`;

describe('the way to a model out of a sandbox', () => {
  it('is the only one', async () => {
    const said = await withModels(async (access) => {
      const { wrap } = await bubblewrap.enter({ writable: [workspace], readable: access.readable });
      const around = `http://127.0.0.1:${String((upstream.address() as AddressInfo).port)}/`;
      const result = await runProcess({
        argv: ['node', '--input-type=module', '-e', ASK_INSIDE, around],
        cwd: workspace,
        environment: { set: access.environment },
        mark: 'coder-1:1',
        wallMs: 20_000,
        wrap: (command) => wrap(access.wrap(command)),
      });
      expect(result.stderr).toBe('');
      return result.stdout;
    }, bubblewrap);

    expect(JSON.parse(said)).toMatchObject({ status: 200, text: '{"ok":true}', around: 'not reached' });
    expect(said).not.toContain(KEY);
    expect(seen).toMatchObject([{ url: '/base/v1/messages', headers: { 'x-api-key': KEY } }]);
    expect(seen[0]?.body).toHaveLength(300_000);
    expect(await readdir(join(home, 'run', 'gateways'))).toEqual([]);
  });

  it('leaves no socket, not even of a daemon that was killed', async () => {
    const gone = join(home, 'run', 'gateways', `${String(spawnSync('true').pid)}-12345678.sock`);
    await mkdir(dirname(gone), { recursive: true });
    await writeFile(gone, '');

    await withModels(() => Promise.resolve(), bubblewrap);

    expect(await readdir(dirname(gone))).toEqual([]);
  });

  it('gives the exit status of what was run, its output, and what became of a missing program', async () => {
    const run = (...argv: [string, ...string[]]) =>
      withModels(async (access) => {
        const { wrap } = await bubblewrap.enter({ writable: [workspace], readable: access.readable });
        return runProcess({ argv, cwd: workspace, mark: 'coder-1:1', wallMs: 20_000, wrap: (command) => wrap(access.wrap(command)) });
      }, bubblewrap);

    const [seven, killed, missing] = await Promise.all([
      run('sh', '-c', 'echo out; echo err >&2; exit 7'),
      run('sh', '-c', 'kill -9 $$'),
      run('./missing'),
    ]);

    expect(seven).toMatchObject({ exitCode: 7, stdout: 'out\n', stderr: 'err\n' });
    expect(killed.exitCode ?? killed.signal).toBe(137);
    expect(missing).toMatchObject({ exitCode: 127, stderr: expect.stringContaining('./missing could not be started') });
  });

  it('is closed to who comes later', async () => {
    const access = await openWayOut({ models: operatorsVariables(), sandbox: bubblewrap, home });
    const { wrap } = await bubblewrap.enter({ writable: [workspace], readable: access.readable });
    const said: string[] = [];
    const running = runProcess({
      argv: ['node', '--input-type=module', '-e', ASK_LATER],
      cwd: workspace,
      environment: { set: access.environment },
      mark: 'coder-1:1',
      wallMs: 30_000,
      wrap: (command) => wrap(access.wrap(command)),
      onLine: ({ text }) => said.push(text),
    });
    await until('it runs', () => said.includes('up'));
    await access.close();
    await writeFile(join(workspace, 'closed'), '');

    expect(await running).toMatchObject({ stdout: 'up\nclosed\n', stderr: '', exitCode: 0 });
  });
});

const ASK_LATER = `
  import { existsSync } from 'node:fs';
  import { get } from 'node:http';
  console.log('up');
  while (!existsSync('closed')) await new Promise((resolve) => setTimeout(resolve, 20));
  // Not fetch, which may be told of a connection that ends at once, or may not.
  get(process.env.ANTHROPIC_BASE_URL, () => console.log('reached')).on('error', () => console.log('closed'));
`;

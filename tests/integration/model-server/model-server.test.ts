import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type ModelServer, startModelServer } from '../../support/model-server/model-server.ts';
import type { Action, Step } from '../../support/model-server/steps.ts';

const parameters = { type: 'object', properties: { path: {}, content: {}, command: {} } };
const chatTool = (name: string): object => ({ type: 'function', function: { name, parameters } });

/** How each service is asked, with a tool to write and one to run, and where the answer's call is. */
const PROTOCOLS = {
  anthropic: {
    path: '/v1/messages?beta=true',
    header: 'x-api-key',
    body: {
      model: 'm',
      tools: [
        { name: 'Write', input_schema: parameters },
        { name: 'Bash', input_schema: parameters },
      ],
    },
    call: '"name":"Write","input":{"path":"/repo/a.txt","content":"a"}',
  },
  responses: {
    path: '/v1/responses',
    header: 'authorization',
    body: {
      model: 'm',
      tools: [
        { type: 'custom', name: 'apply_patch' },
        { type: 'function', name: 'exec_command', parameters },
      ],
    },
    call: '"name":"apply_patch","input":"*** Begin Patch\\n*** Add File: a.txt\\n+a\\n*** End Patch"',
  },
  chat: {
    path: '/v1/chat/completions',
    header: 'authorization',
    body: { model: 'm', tools: [chatTool('write'), chatTool('bash')] },
    call: '"name":"write","arguments":"{\\"path\\":\\"/repo/a.txt\\",\\"content\\":\\"a\\"}"',
  },
  gemini: {
    path: '/v1beta/models/m:generateContent',
    header: 'x-goog-api-key',
    body: { tools: [{ functionDeclarations: [{ name: 'write_file', parametersJsonSchema: parameters }] }] },
    call: '"name":"write_file","args":{"path":"/repo/a.txt","content":"a"}',
  },
} as const;
const WRITE: Action = { write: { path: 'a.txt', content: 'a' } };

describe('the model server', () => {
  let server: ModelServer;

  beforeAll(async () => {
    server = await startModelServer();
  });

  afterAll(async () => {
    await server.close();
  });

  const ask = async (name: keyof typeof PROTOCOLS, steps: readonly Step[], isStream = false): Promise<{ status: number; text: string }> => {
    const { path, header, body } = PROTOCOLS[name];
    server.script(name, steps);
    const response = await fetch(server.url + (isStream ? path.replace(':generate', ':streamGenerate') : path), {
      method: 'POST',
      headers: { [header]: `Bearer sk-stub-${name}` },
      body: JSON.stringify({ ...body, stream: isStream, messages: [{ content: 'Primary working directory: /repo\nWrite it.' }] }),
    });
    return { status: response.status, text: await response.text() };
  };

  it.each(Object.keys(PROTOCOLS) as (keyof typeof PROTOCOLS)[])('answers as %s, at once and as a stream', async (name) => {
    const steps = [{ text: 'I write it.', tools: [WRITE], usage: { input: 1_234, output: 5 } }];

    const whole = await ask(name, steps);
    const stream = await ask(name, steps, true);

    expect(whole).toMatchObject({ status: 200, text: expect.stringContaining(PROTOCOLS[name].call) });
    expect(JSON.parse(whole.text)).toBeDefined();
    expect(stream.text).toContain('data: {');
    for (const { text } of [whole, stream]) expect([text.includes('I write it.'), text.includes('1234')]).toEqual([true, true]);
    expect(server.requestsOf(name)[0]).toMatchObject({ protocol: name, usage: { input: 1_234, output: 5 } });
  });

  it.each(Object.keys(PROTOCOLS) as (keyof typeof PROTOCOLS)[])('fails as %s does', async (name) => {
    const failed = await ask(name, [{ status: 429, message: 'slow down' }]);

    expect(failed).toMatchObject({ status: 429, text: expect.stringContaining('slow down') });
  });

  it('breaks a connection', async () => {
    await expect(ask('anthropic', [{ text: 'half', cut: true }], true)).rejects.toThrow();
  });

  it('writes by the shell where there is no other tool', async () => {
    server.script('shell', [{ tools: [WRITE] }]);

    const response = await fetch(`${server.url}/v1/messages`, {
      method: 'POST',
      headers: { 'x-api-key': 'stub-shell' },
      body: JSON.stringify({ tools: [{ name: 'Bash', input_schema: parameters }] }),
    });

    expect(await response.text()).toContain('node -e');
  });
});

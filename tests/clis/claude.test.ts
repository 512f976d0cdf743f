import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { openSandbox } from '../../src/shared/process/sandbox/open-sandbox.ts';
import { UNSAFE } from '../../src/shared/process/sandbox/sandbox.ts';
import type { ClaudeRunnerConfig } from '../../src/shared/runner/claude/claude-config.ts';
import { createClaudeRunner } from '../../src/shared/runner/claude/claude-runner.ts';
import { claudeVersion, resumesAnywhere, TESTED_VERSIONS } from '../../src/shared/runner/claude/claude-version.ts';
import { type Runner, usageOfFailure } from '../../src/shared/runner/runner.ts';
import { failureOf, type TestTask, testTask } from '../contract/runner/runner-contract.ts';
import { installedClaude } from '../support/clis.ts';
import { pidsWith } from '../support/marked-processes.ts';
import { type ModelServer, startModelServer } from '../support/model-server/model-server.ts';
import { confinementWith } from '../support/model-server/open-model.ts';
import type { Scenario } from '../support/model-server/steps.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { until } from '../support/until.ts';

const program = installedClaude();
const MODEL = 'claude-sonnet-4-5';
/** What it costs (US dollars for a million tokens). */
const PRICE = { input: 3, output: 15 };
/** It refuses to wait by `sleep`. */
const HANG = 'node -e "setTimeout(() => {}, 300_000)"';
const VERDICT = { decision: 'REQUEST_CHANGES', summary: 'no tests', comments: [] };

(program === undefined ? describe.skip : describe)('the real Claude Code', () => {
  let server: ModelServer;
  let folder: ReturnType<typeof temporaryDirectory>;
  let current: TestTask;
  let scenario = '';
  let count = 0;
  const sandbox = openSandbox({ home: '/nowhere', unsafe: false });

  const claude = async (config: Partial<ClaudeRunnerConfig> = {}): Promise<Runner> => {
    const confinement = confinementWith(server, scenario, await sandbox, folder.path);
    return createClaudeRunner({ program, confinement, model: MODEL, maxRetries: 1, ...config });
  };
  const script = (steps: Scenario): void => {
    scenario = `claude-${String(++count)}`;
    server.script(scenario, steps);
  };

  beforeAll(async () => {
    server = await startModelServer();
    folder = temporaryDirectory('model');
  });

  afterAll(async () => {
    await server.close();
    folder.remove();
  });

  beforeEach(() => {
    current = testTask();
  });

  afterEach(() => {
    const left = pidsWith(`MULTI_AGENT_RUN=${current.task.mark}`);
    current.remove();
    expect(left).toEqual([]);
  });

  it('is of a version that was tested', async () => {
    expect(Object.values(TESTED_VERSIONS)).toContain(await claudeVersion(program));
  });

  it('implements: writes a file, runs a command, and says what it did', async () => {
    script([
      { thinking: 'Let me see.', text: 'I will write it.', tools: [{ write: { path: 'sum.mjs', content: 'export const sum = 3;\n' } }] },
      { tools: [{ bash: { command: 'sleep 0.1 & node -e "console.log(6 * 7)" > out.txt; wait; git --version' } }] },
      { text: 'Done: added sum.' },
    ]);

    const result = await (await claude()).run(current.task);

    expect(readFileSync(join(current.task.workspace, 'sum.mjs'), 'utf8')).toBe('export const sum = 3;\n');
    expect(readFileSync(join(current.task.workspace, 'out.txt'), 'utf8')).toBe('42\n');
    expect(result.summary).toBe('Done: added sum.');
    expect(current.outputs.map(({ type }) => type)).toEqual([
      ...['thinking', 'message', 'tool_call', 'tool_result', 'tool_call', 'tool_result', 'message', 'usage'],
    ]);
  });

  it('counts what it cost as the service does', async () => {
    script([
      { tools: [{ bash: { command: 'true' } }], usage: { input: 1_000, output: 50, cacheRead: 400, cacheWrite: 300 } },
      { text: 'Done.' },
    ]);

    const { usage } = await (await claude()).run(current.task);

    const told = server.requestsOf(scenario).map((request) => request.usage);
    const sum = (count: 'cacheRead' | 'cacheWrite' | 'input' | 'output'): number =>
      told.reduce((total, one) => total + (one?.[count] ?? 0), 0);
    expect(told).toHaveLength(2);
    expect(usage).toMatchObject({
      inputTokens: sum('input') + sum('cacheRead') + sum('cacheWrite'),
      outputTokens: sum('output'),
      cacheReadTokens: 400,
      cacheWriteTokens: 300,
    });
    const cached = 400 * PRICE.input * 0.1 + 300 * PRICE.input * 1.25;
    expect(usage.costUsd).toBeCloseTo((sum('input') * PRICE.input + sum('output') * PRICE.output + cached) / 1e6, 6);
  });

  it('goes on with its conversation in the next round, where it can also in another folder, and counts that round alone', async () => {
    script([
      { text: 'The canary is yellow.' },
      { tools: [{ write: { path: 'two.txt', content: '2\n' } }] },
      { text: 'Second round done.' },
    ]);
    const runner = await claude();
    await runner.run(current.task);
    const moved = { ...current.task, round: 2, workspace: join(current.task.workspace, '../moved') };
    mkdirSync(moved.workspace);

    const { summary, usage } = await runner.run(moved);

    const [first, ...second] = server.requestsOf(scenario);
    expect(summary).toBe('Second round done.');
    expect(existsSync(join(moved.workspace, 'two.txt'))).toBe(true);
    expect([first, second[0]].map((request) => request?.text.includes('The canary is yellow.'))).toEqual([
      false,
      resumesAnywhere(await claudeVersion(program)),
    ]);
    expect(usage.inputTokens).toBe(second.reduce((total, request) => total + (request.usage?.input ?? 0), 0));
  });

  it('goes on with its conversation in the same folder, and counts that run alone', async () => {
    script([{ text: 'The canary is blue.' }, { text: 'Second try done.' }, { text: 'Third try done.' }]);
    const runner = await claude();
    await runner.run(current.task);
    await runner.run({ ...current.task, tryNumber: 2 });

    const { usage } = await runner.run({ ...current.task, tryNumber: 3 });

    const [, , third] = server.requestsOf(scenario);
    expect(['The canary is blue.', 'Second try done.'].map((text) => third?.text.includes(text))).toEqual([true, true]);
    expect(usage.inputTokens).toBe(third?.usage?.input);
  });

  it('goes on with what it had begun when it was ended', async () => {
    script([{ text: 'The canary is red.', tools: [{ bash: { command: HANG } }] }, { text: 'Done after all.' }]);
    const runner = await claude();
    const failed = failureOf(runner.run(current.task));
    // It writes its conversation a moment after it has told of it.
    await until('the conversation is written', () => conversation(current).includes('The canary is red.'), 30_000);
    current.abort();
    expect(await failed).toMatchObject({ code: 'runner_interrupted' });

    const { summary, usage } = await runner.run({ ...current.task, signal: new AbortController().signal });

    expect(summary).toBe('Done after all.');
    expect(usage.inputTokens).toBe(server.requestsOf(scenario).at(-1)?.usage?.input);
    expect(server.requestsOf(scenario).at(-1)?.text.includes('The canary is red.')).toBe(true);
  });

  it('begins anew where its conversation is gone', async () => {
    script([{ text: 'One.' }, { text: 'Two.' }]);
    const runner = await claude();
    await runner.run(current.task);
    const record = join(current.task.sessions, 'session.json');
    writeFileSync(
      record,
      readFileSync(record, 'utf8').replace(/"sessionId":"[^"]*"/, '"sessionId":"00000000-0000-4000-8000-000000000000"'),
    );

    const { summary } = await runner.run(current.task);

    expect(summary).toBe('Two.');
    expect(current.outputs.some(({ text }) => text.includes('a new one begins'))).toBe(true);
  });

  it('reviews by the schema, and can not write', async () => {
    current.remove();
    current = testTask({ role: 'reviewer' });
    const write = { name: 'Write', input: { file_path: join(current.task.workspace, 'evil.txt'), content: 'x' } };
    writeFileSync(join(current.task.workspace, 'a.ts'), 'const canary = 1;\n');
    script([{ tools: [{ read: { path: 'a.ts' } }, write] }, { tools: [{ json: VERDICT }] }]);

    const { verdict } = await (await claude()).run(current.task);

    expect(verdict).toEqual(VERDICT);
    expect(existsSync(join(current.task.workspace, 'evil.txt'))).toBe(false);
    expect(server.requestsOf(scenario)[0]?.tools).toEqual(['Glob', 'Grep', 'Read', 'StructuredOutput']);
    expect(server.requestsOf(scenario)[1]?.text.includes('const canary = 1;')).toBe(true);
  });

  it('is asked once more where the model passes over the schema', async () => {
    current.remove();
    current = testTask({ role: 'reviewer' });
    script([{ text: 'I do not like it.', times: 2 }, { tools: [{ json: VERDICT }] }]);

    const { verdict, usage } = await (await claude()).run(current.task);

    expect(verdict).toEqual(VERDICT);
    expect(usage.inputTokens).toBe(server.requestsOf(scenario).reduce((total, request) => total + (request.usage?.input ?? 0), 0));
  });

  it('gives no verdict where the model never does', async () => {
    current.remove();
    current = testTask({ role: 'reviewer' });
    script([{ text: 'I do not like it.' }]);

    const failed = await failureOf((await claude()).run(current.task));

    expect(failed).toMatchObject({ code: 'invalid_verdict', message: expect.stringContaining('I do not like it.') });
    expect(usageOfFailure(failed).inputTokens).toBeGreaterThan(0);
  });

  it.each([
    ['a refused key', [{ status: 401 }], { code: 'runner_not_logged_in' }],
    ['a key without rights', [{ status: 403 }], { code: 'runner_not_logged_in' }],
    ['a limit', [{ status: 429 }], { code: 'runner_limited', retryAfterMs: expect.any(Number) }],
    ['an overload', [{ status: 529 }], { code: 'runner_limited' }],
    ['a fault of the service', [{ status: 500 }], { code: 'runner_unavailable' }],
    ['a connection that always breaks', [{ text: 'Half a sentence', cut: true }], { code: 'runner_unavailable' }],
    [
      'a task that is too long',
      [{ status: 400, message: 'prompt is too long: 300000 tokens > 200000 maximum' }],
      { code: 'context_too_long' },
    ],
    ['a model that there is not', [{ status: 404, message: 'model: nope' }], { code: 'runner_failed' }],
  ])('tells %s', async (_, steps, failure) => {
    script(steps);

    expect(await failureOf((await claude()).run(current.task))).toMatchObject(failure);
  });

  it('waits as long as the service says, and says it where that is not enough', async () => {
    script([{ status: 429, headers: { 'retry-after': '2' }, times: 2 }, { text: 'Done.' }]);

    const failed = await failureOf((await claude()).run(current.task));
    const { summary } = await (await claude()).run(current.task);

    expect(failed).toMatchObject({ code: 'runner_limited' });
    expect((failed as { retryAfterMs: number }).retryAfterMs).toBeGreaterThanOrEqual(2_000);
    expect(summary).toBe('Done.');
  });

  it('goes on when a connection breaks once', async () => {
    script([{ text: 'Half a sentence', cut: true }, { text: 'A whole one.' }]);

    const { summary } = await (await claude()).run(current.task);

    expect(summary).toBe('A whole one.');
    expect(current.outputs.some(({ type }) => type === 'error')).toBe(true);
  });

  it('says what it cost where a cap ends it', async () => {
    script([{ tools: [{ bash: { command: 'true' } }] }]);

    const turns = await failureOf((await claude({ maxTurns: 2 })).run(current.task));
    const budget = await failureOf((await claude({ maxBudgetUsd: 0.01 })).run(current.task));

    expect(turns).toMatchObject({ code: 'runner_failed', message: expect.stringContaining('maximum number of turns') });
    expect(budget).toMatchObject({ code: 'runner_failed', message: expect.stringContaining('maximum budget') });
    expect(usageOfFailure(turns).costUsd).toBeGreaterThan(0.01);
    expect(usageOfFailure(budget).costUsd).toBeGreaterThan(0.01);
  });

  it('is ended when the service says nothing', async () => {
    script([{ hang: true }]);

    const failed = await failureOf((await claude()).run({ ...current.task, stallMs: 4_000 }));

    expect(failed).toMatchObject({ code: 'runner_stalled' });
    expect(server.requestsOf(scenario)).not.toEqual([]);
  });

  it('leaves no process when it is ended, nor one that it started in the background', async () => {
    script([{ tools: [{ bash: { command: `touch begun; setsid ${HANG} & ${HANG}` } }] }]);
    const failed = failureOf((await claude()).run(current.task));
    await until('the command runs', () => existsSync(join(current.task.workspace, 'begun')), 30_000);
    // Inside are, at least, the CLI, a shell and two of these; what a sandbox is made of comes on top.
    await until('all of it runs', () => pidsWith(`MULTI_AGENT_RUN=${current.task.mark}`).length >= 4, 30_000);

    current.abort();

    expect(await failed).toMatchObject({ code: 'runner_interrupted' });
    expect(pidsWith(`MULTI_AGENT_RUN=${current.task.mark}`)).toEqual([]);
  });

  it.each(['coder', 'reviewer'] as const)('as a %s tells its model nothing that the repository would have it told', async (role) => {
    current.remove();
    current = testTask({ role });
    writeInstructions(current.task.workspace);
    script([
      { tools: [{ bash: { command: 'true' } }, { read: { path: 'a.ts' } }] },
      { tools: [{ json: VERDICT }], text: 'Done.' },
      { text: 'Done.' },
    ]);

    await (await claude()).run(current.task).catch(() => undefined);

    expect(server.requestsOf(scenario).length).toBeGreaterThan(0);
    expect(server.requestsOf(scenario).flatMap(({ text }) => /CANARY_\w+/.exec(text) ?? [])).toEqual([]);
    expect(existsSync(join(current.task.workspace, 'hooked'))).toBe(false);
  });

  it('does not take AGENTS.md where there is no CLAUDE.md', async () => {
    writeFileSync(join(current.task.workspace, 'AGENTS.md'), 'CANARY_AGENTS_MD\n');
    script([{ text: 'Done.' }]);

    await (await claude()).run(current.task);

    expect(server.requestsOf(scenario).map(({ text }) => text.includes('CANARY'))).toEqual([false]);
  });

  it('talks to its model alone', async () => {
    script([{ text: 'Done.' }]);
    const before = server.requests.length;

    await (await claude()).run(current.task);

    const asked = server.requests.slice(before).filter(({ method }) => method !== 'HEAD');
    expect(asked.map(({ path }) => path)).toEqual(['/v1/messages?beta=true']);
    expect(asked[0]?.tools).toEqual(expect.arrayContaining(['Bash', 'Edit', 'Read', 'Write']));
  });

  it('works without a sandbox, also as root', async () => {
    script([
      { tools: [{ write: { path: 'a.txt', content: 'a\n' } }] },
      { tools: [{ bash: { command: 'cp a.txt b.txt' } }] },
      { text: 'Done.' },
    ]);

    await (await claude({ confinement: confinementWith(server, scenario, UNSAFE, folder.path) })).run(current.task);

    expect(readFileSync(join(current.task.workspace, 'b.txt'), 'utf8')).toBe('a\n');
  });
});

/** All that the CLI has written of its conversations. */
function conversation({ task }: TestTask): string {
  const folder = join(task.sessions, 'claude');
  const names = existsSync(folder) ? readdirSync(folder, { recursive: true, encoding: 'utf8' }) : [];
  return names.flatMap((name) => (name.endsWith('.jsonl') ? readFileSync(join(folder, name), 'utf8') : [])).join('');
}

/** All the ways by which a repository may tell Claude Code something, or have it do something. */
function writeInstructions(workspace: string): void {
  const files = {
    'CLAUDE.md': 'CANARY_CLAUDE_MD',
    'CLAUDE.local.md': 'CANARY_LOCAL_MD',
    'AGENTS.md': 'CANARY_AGENTS_MD',
    '.claude/CLAUDE.md': 'CANARY_DOT_MD',
    '.claude/rules/a.md': 'CANARY_RULE',
    '.claude/agents/a.md': '---\nname: canary\ndescription: CANARY_AGENT\n---\nCANARY_AGENT',
    '.claude/commands/a.md': 'CANARY_COMMAND',
    '.claude/skills/a/SKILL.md': '---\nname: canary\ndescription: CANARY_SKILL\n---\nCANARY_SKILL',
    '.claude/settings.json': JSON.stringify({
      outputStyle: 'CANARY_STYLE',
      env: { CANARY_ENV: 'CANARY_ENV' },
      hooks: { SessionStart: [{ hooks: [{ type: 'command', command: 'touch hooked; echo CANARY_HOOK' }] }] },
    }),
    '.mcp.json': JSON.stringify({ mcpServers: { CANARY_MCP: { command: 'touch', args: ['hooked'] } } }),
    'a.ts': 'const a = 1;\n',
  };
  for (const name of ['rules', 'agents', 'commands', 'skills/a']) mkdirSync(join(workspace, '.claude', name), { recursive: true });
  for (const [path, content] of Object.entries(files)) writeFileSync(join(workspace, path), `${content}\n`);
}

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, it } from '@jest/globals';
import { z } from 'zod';
import { type CliResult, eachCli, MAIN } from '../../support/e2e/cli.ts';
import { eventually } from '../../support/e2e/processes.ts';
import { writes } from '../../support/e2e/script.ts';
import { ErrorShape, JobListShape, JobShape, LogLineShape, ShownJobShape, StatusShape } from '../../support/e2e/shapes.ts';
import type { Stage } from '../../support/e2e/stage.ts';
import type { Shared } from './shared.ts';

const UNKNOWN = 'job-00000000000000000000000000';
const ABOUT_A_JOB = [['job-status'], ['show'], ['logs'], ['stop-job'], ['approve'], ['reject', '--comment', 'no'], ['retry']] as const;
/** A sequence that begins with ESC: colours, cursor moves. */
const ESCAPE = '\u001b';

/** Exit codes, messages and shapes that scripts rely on. */
export function commandLineScenarios({ stage, system }: Shared): void {
  it.concurrent('prints one JSON document, or JSON lines, of the documented shape from every command, and nothing else', async () => {
    const { run, cli, env } = stage('json');
    const { job } = await run({ coder: [{ steps: [writes('json.txt'), { say: 'one' }, { say: 'two' }] }] });

    const shapes: [readonly string[], z.ZodType][] = [
      [['job-status', job.id], JobShape],
      [['show', job.id], ShownJobShape],
      [['list-jobs', '--limit', '3'], JobListShape],
      [['status'], StatusShape],
      [['health'], z.looseObject({ status: z.literal('healthy'), silent: z.array(z.string()).length(0) })],
      [['topology'], z.strictObject({ matches: z.literal(true), applied: z.literal(false), differences: z.array(z.unknown()).length(0) })],
      [['config'], z.looseObject({ variables: z.array(z.looseObject({ name: z.string(), source: z.string() })) })],
      [['gc'], z.strictObject({ worktrees: z.array(z.string()), claims: z.array(z.string()) })],
      [['dead', 'list'], z.strictObject({ letters: z.array(z.looseObject({ seq: z.number() })) })],
      [['approve', job.id], JobShape],
    ];
    const results = await eachCli(
      env,
      shapes.map(([args]) => [...args, '--json']),
    );
    const doctor = await cli('doctor', '--json');
    const watched = await cli('job-status', job.id, '--watch', '--json');
    const logs = await cli('logs', job.id, '--json');

    shapes.forEach(([args, shape], index) => {
      const result = results[index];
      expect({ args, code: result?.code, stderr: result?.stderr.includes(ESCAPE) }).toEqual({ args, code: 0, stderr: false });
      expect({ args, fault: shape.safeParse(result?.json()).error?.message }).toEqual({ args, fault: undefined });
    });
    expect(doctor.json()).toMatchObject({ ok: doctor.code === 0, findings: expect.any(Array) });
    expect(watched.jsonLines().map((line) => JobShape.parse(line).status)).toEqual(['COMPLETED']);
    expect(watched.code).toBe(0);
    expect(logs.jsonLines().map((line) => LogLineShape.parse(line).text)).toEqual(expect.arrayContaining(['one', 'two']));
  });

  it.concurrent('shows the agents that do the work, healthy, with the processes they have', async () => {
    const result = await stage('status').cli('status', '--json');

    const status = StatusShape.parse(result.json());
    expect([result.code, status.healthy, status.nats.connected, status.nats.embedded]).toEqual([0, true, true, true]);
    expect(status.agents.map(({ id }) => id).sort()).toEqual(
      ['coder-1', 'coder-2', 'coder-3', 'coder-4', 'repo-manager-1', 'reviewer-1', 'reviewer-2'].sort(),
    );
    expect(new Set([status.nats.pid, ...status.agents.map(({ pid }) => pid)]).size).toBe(8);
  });

  it.concurrent('shows everything about a job: its diff, verdicts, checks and what it cost', async () => {
    const { run, cli } = stage('show', {
      'README.md': '# sample\n',
      '.multi-agent.json': JSON.stringify({ checks: ['test -f shown.txt'] }),
    });
    const usage = { inputTokens: 70, outputTokens: 7, costUsd: 0.25 };
    const { job } = await run({
      coder: [{ steps: [writes('shown.txt', 'shown\n'), { say: JSON.stringify({ summary: 'shows it', usage }) }] }],
    });

    const show = await cli('show', job.id, '--json');

    const shown = ShownJobShape.parse(show.json());
    expect(show.code).toBe(0);
    expect(shown.diff).toContain('+shown');
    expect(shown.filesChanged).toEqual([{ path: 'shown.txt', status: 'added', additions: 1, deletions: 0 }]);
    expect(shown.reviews).toMatchObject([{ decision: 'APPROVE', headCommit: job.headCommit }]);
    expect(shown.checks).toMatchObject([{ command: 'test -f shown.txt', passed: true }]);
    expect(shown['summary']).toContain('shows it');
    expect(shown.usage).toEqual(usage);
  });

  it.concurrent('exits 4 for a job that is not there, and 2 for what can be no job id, whatever the command', async () => {
    const { env } = stage('no-job');

    const unknown = await eachCli(
      env,
      ABOUT_A_JOB.map(([name, ...flags]) => [name, UNKNOWN, ...flags, '--json']),
    );
    const wrong = await eachCli(
      env,
      ABOUT_A_JOB.map(([name, ...flags]) => [name, 'job-1', ...flags, '--json']),
    );

    const outcome = (results: CliResult[]) => results.map((result) => [result.code, ErrorShape.parse(result.json()).error.code]);
    expect(outcome(unknown)).toEqual(ABOUT_A_JOB.map(() => [4, 'no_such_job']));
    expect(outcome(wrong)).toEqual(ABOUT_A_JOB.map(() => [2, 'bad_job_id']));
  });

  it.concurrent.each([
    { repo: 'ftp://example.com/a/b', code: 'bad_repository' },
    { repo: 'https://user:secret@github.com/a/b', code: 'bad_repository' },
    { repo: 'https://127.0.0.1/a/b', code: 'bad_repository' },
    { repo: '/nowhere/at/all', code: 'bad_repository' },
    { repo: 'someone/something', code: 'forge_not_available' },
    { repo: 'git@github.com:someone/something.git', code: 'forge_not_available' },
  ])('exits 2 for the repository $repo', async ({ repo, code }) => {
    const { cli } = stage(`repository-${Buffer.from(repo).toString('hex')}`);

    const result = await cli('submit-feature', '--json', '--repo', repo, '--title', 'x', '--description', 'y');

    expect([result.code, ErrorShape.parse(result.json()).error.code]).toEqual([2, code]);
    expect(result.stdout + result.stderr).not.toContain('secret');
  });

  it.concurrent('names every fault of an input at once', async () => {
    const { cli, repository } = stage('faults');

    const several = await cli(
      'submit-feature',
      '--json',
      '--repo',
      '/nowhere',
      '--priority',
      'soon',
      '--max-rounds',
      '0',
      '--timeout',
      'x',
      '--merge',
      'maybe',
    );
    const priority = await cli(
      'submit-feature',
      '--json',
      '--repo',
      repository.path,
      '--title',
      'x',
      '--description',
      'y',
      '--priority',
      'soon',
    );
    const people = await cli('submit-feature', '--repo', '/nowhere', '--priority', 'soon');

    const { message, details } = ErrorShape.parse(several.json()).error;
    expect(several.code).toBe(2);
    for (const option of ['--repo', '--title', '--description', '--priority', '--max-rounds', '--timeout', '--merge'])
      expect(message).toContain(option);
    expect(details?.['faults']).toHaveLength(7);
    expect([priority.code, ErrorShape.parse(priority.json()).error.message]).toEqual([
      2,
      '--priority: "soon" is none of low, normal, high, urgent',
    ]);
    expect([people.code, people.stdout]).toEqual([2, '']);
    expect(people.stderr).toMatch(/^4 things are wrong:\n( {2}- --.*\n){4}$/);
  });

  it.concurrent.each([
    { args: ['no-such-command'] },
    { args: ['list-jobs', '--no-such-option'] },
    { args: ['list-jobs', '--limit', 'many'] },
    { args: ['list-jobs', '--status', 'DONE'] },
    { args: ['up', '--coders', 'some'] },
    { args: ['--nats', 'http://127.0.0.1', 'list-jobs'] },
    { args: ['dead', 'drop', 'x'] },
  ])('exits 2 for $args', async ({ args }) => {
    const { cli } = stage(`usage-${Buffer.from(args.join(' ')).toString('hex')}`);

    const result = await cli(...args, '--json');

    expect(result.code).toBe(2);
    expect(result.json()).toEqual(expect.objectContaining(ErrorShape.parse(result.json())));
  });

  it.concurrent('numbers log lines by rising, unique numbers, and follows them to the end of the job', async () => {
    const { submit, startCli, cli, gate } = stage('logs');
    const go = gate('go');
    const { id } = await submit({
      coder: [{ steps: [{ say: 'begun' }, { waitFor: go.path }, writes('done.txt'), { complain: 'careful' }, { say: 'finished' }] }],
    });
    const following = startCli('logs', id, '--follow', '--json');
    await eventually('the first line', () => following.stdout().includes('begun'));

    go.open();
    const followed = await following.ended;
    const stored = await cli('logs', id, '--json');

    const lines = followed.jsonLines().map((line) => LogLineShape.parse(line));
    const seqs = lines.map(({ seq }) => seq);
    expect([followed.code, stored.code]).toEqual([0, 0]);
    expect(seqs).toEqual([...new Set(seqs)].sort((a, b) => a - b));
    expect(lines).toEqual(stored.jsonLines());
    expect(lines.find(({ text }) => text === 'finished')).toMatchObject({
      jobId: id,
      taskId: `${id}.implement.1`,
      attempt: 1,
      type: 'stdout',
    });
    expect(lines.find(({ text }) => text === 'careful')).toMatchObject({ type: 'stderr' });
  });

  it.concurrent('writes no escape sequence where there is no terminal, and no colour where NO_COLOR is set', async () => {
    const own = stage('colours');
    const { job } = await own.run({ coder: [{ steps: [writes('x.txt'), { say: '\u001b[31mred\u001b[0m' }] }] });
    const commands = [
      ['job-status', job.id],
      ['job-status', job.id, '--watch'],
      ['show', job.id],
      ['list-jobs'],
      ['logs', job.id],
      ['status'],
      ['health'],
      ['topology'],
      ['config'],
    ];

    const piped = await eachCli(own.env, commands);
    const plain = await onTerminal(own, { NO_COLOR: '1' }, 'job-status', job.id);
    const coloured = await onTerminal(own, {}, 'job-status', job.id);

    expect(piped.map(({ code }) => code)).toEqual(commands.map(() => 0));
    for (const { stdout, stderr } of piped) expect(stdout + stderr).not.toContain(ESCAPE);
    expect(plain).toContain(job.id);
    expect(plain).not.toContain(`${ESCAPE}[`);
    // The control: on a terminal there are colours.
    expect(coloured).toContain(`${ESCAPE}[`);
  });

  it.concurrent('refuses to start a system that runs already', async () => {
    const result = await stage('up-twice').cli('up', '--json');

    expect([result.code, ErrorShape.parse(result.json()).error.code]).toEqual([2, 'already_running']);
    expect(system().supervisor.child.exitCode).toBeNull();
  });
}

/** What the command prints on a terminal of its own, made by script(1). */
async function onTerminal({ env }: Stage, extra: Readonly<Record<string, string>>, ...args: readonly string[]): Promise<string> {
  const line = [process.execPath, MAIN, ...args].join(' ');
  const child = spawn('script', ['-q', '-e', '-c', line, '/dev/null'], {
    env: { ...env, TERM: 'xterm', ...extra },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  await once(child, 'close');
  return Buffer.concat(chunks).toString('utf8');
}

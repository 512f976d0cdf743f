import { describe, expect, it } from '@jest/globals';
import type { z } from 'zod';
import { BranchName, Repository } from '../../../../src/shared/domain/feature.ts';
import { AgentId, CommitId, JobId, TaskId } from '../../../../src/shared/domain/ids.ts';
import { BundleRef } from '../../../../src/shared/domain/bundle.ts';
import { catalogue } from '../../../../src/shared/messages/catalogue.ts';
import { TraceParent, versioned } from '../../../../src/shared/messages/envelope.ts';
import { InputMessage } from '../../../../src/shared/messages/job-input.ts';
import { TaskMessage } from '../../../../src/shared/messages/task.ts';
import { BASE, JOB_ID } from '../domain/stories.ts';
import { examples } from './examples.ts';

const entries = catalogue.map((entry) => [entry.name, entry.schema] as const);
const exampleOf = (name: string): Readonly<Record<string, unknown>> => {
  const example = examples[name];
  if (!example) throw new Error(`no example of ${name}`);
  return example;
};
/** What everybody tries: shells, paths, options, subjects, control characters. */
const POISONS = [
  ...[
    ';id',
    '|id',
    '&id',
    '$(id)',
    '`id`',
    '\nid',
    '\rid',
    '\0',
    '\t',
    ' ',
    "'",
    '"',
    '\\',
    '<',
    '>',
    '*',
    '?',
    '[',
    '~',
    '^',
    ':',
    '{',
    '}',
  ],
  ...['/../x', '/..', '..', '//', '@{1}', '.lock', '/.git', '\u202e', '\u00e9', '\u{1f600}', '%00', '#', '!', '.', '/'],
];
const AROUND = (name: string): string[] => POISONS.flatMap((poison) => [`${name}${poison}`, `${poison}${name}`]);

describe('every message', () => {
  it.each(entries)('%s survives JSON unchanged', (name, schema) => {
    const example = exampleOf(name);

    expect(schema.parse(JSON.parse(JSON.stringify(example)))).toEqual(example);
  });

  it.each(entries)('%s is refused with a field nobody knows, or without one it needs', (name, schema) => {
    const example = exampleOf(name);
    const { v: _, ...unversioned } = example;

    expect(schema.safeParse({ ...example, more: 1 }).success).toBe(false);
    expect(schema.safeParse(unversioned).success).toBe(false);
    for (const nothing of [null, [], 'text', 1, {}]) expect(schema.safeParse(nothing).success).toBe(false);
  });

  it.each(entries)('%s is refused in another version', (name, schema) => {
    for (const v of [0, 2, '1', null]) expect(schema.safeParse({ ...exampleOf(name), v }).success).toBe(false);
  });

  it('has an example, and every example a message', () => {
    expect(Object.keys(examples).sort()).toEqual(catalogue.map(({ name }) => name).sort());
  });

  it('is told apart by its type', () => {
    const reports = ['TaskStarted', 'ImplementationResult', 'ReviewResult', 'TaskFailed', 'UsageReported'];
    const inputs = [...reports, 'StopJob', 'ApproveJob', 'RejectJob', 'RetryJob'];

    expect(inputs.map((name) => InputMessage.parse(exampleOf(name)).type)).toEqual(inputs);
    expect(TaskMessage.parse(exampleOf('ReviewRequest')).type).toBe('ReviewRequest');
    expect(InputMessage.safeParse({ ...exampleOf('StopJob'), type: 'DropTables' }).success).toBe(false);
  });

  it('gets its version where it is made', () => {
    expect(versioned({ a: 1 })).toEqual({ v: 1, a: 1 });
  });
});

describe('hostile names', () => {
  const cases: readonly (readonly [string, z.ZodType, string, readonly string[]])[] = [
    ['a job id', JobId, JOB_ID, [...AROUND(JOB_ID), 'job-', 'job-1', JOB_ID.toLowerCase(), `${JOB_ID}0`, JOB_ID.replace('job', 'JOB')]],
    [
      'a task id',
      TaskId,
      `${JOB_ID}.review.1`,
      [...AROUND(`${JOB_ID}.review.1`), `${JOB_ID}.review.0`, `${JOB_ID}.merge.1`, `${JOB_ID}.review.99999`],
    ],
    ['a commit id', CommitId, BASE, [...AROUND(BASE), 'HEAD', 'main', BASE.slice(1), BASE.replace('0', 'A'), `${BASE}0`, '--all']],
    ['an agent id', AgentId, 'coder-1', [...AROUND('coder-1'), 'coder-0', 'coder', 'server-1', 'coder-1.2']],
    ['a trace', TraceParent, `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`, AROUND(`00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`)],
  ];

  it.each(cases)('are no %s', (_, schema, good, hostile) => {
    expect(schema.safeParse(good).success).toBe(true);
    expect(hostile.filter((name) => schema.safeParse(name).success)).toEqual([]);
  });

  it('are no branch', () => {
    const good = ['main', 'feature/x-1', 'release/1.2', 'a@b', 'v1+2', '_x'];
    const between = POISONS.filter((poison) => !['.', '/', '#'].includes(poison)).map((poison) => `a${poison}b`);
    const shapes = [
      '',
      '-x',
      '--upload-pack=id',
      '@',
      'HEAD',
      'refs/heads/x',
      'multi-agent/x',
      'x.lock',
      'x.lock/y',
      'a/.b',
      'a./b',
      'x'.repeat(201),
    ];
    const hostile = [...between.filter((name) => name !== 'a.lockb'), ...POISONS.map((poison) => `x${poison}`), ...shapes];

    expect(good.filter((name) => !BranchName.safeParse(name).success)).toEqual([]);
    expect(hostile.filter((name) => BranchName.safeParse(name).success)).toEqual([]);
  });

  it('are no place of a bundle', () => {
    const name = `app-1/${JOB_ID}.implement.1.1.out`;
    const ref = (other: string) => ({ name: other, sha256: 'a'.repeat(64), sizeBytes: 1, tip: BASE });

    expect(BundleRef.safeParse(ref(name)).success).toBe(true);
    expect(AROUND(name).filter((other) => BundleRef.safeParse(ref(other)).success)).toEqual([]);
  });

  it('are no URL', () => {
    const schemes = ['http', 'git', 'ssh', 'file', 'ext', 'javascript'].map((scheme) => `${scheme}://host/a/b`);
    const hostile = [...schemes, 'ext::sh -c id', '--upload-pack=id', '', 'host:a/b', '/srv/app', 'https://'];
    // A client would go elsewhere, or nowhere: what is identified by it is to be what is asked.
    const misread = ['https://github.com/a/..', 'https://github.com/./b', 'https://xn--a.com/a/b'];

    expect(Repository.safeParse({ kind: 'github', url: 'https://github.com/a/b' }).success).toBe(true);
    expect([...hostile, ...misread].filter((url) => Repository.safeParse({ kind: 'github', url }).success)).toEqual([]);
    expect(
      ['app', './app', '../app', '-x', '', 'ext::sh', 'file:///srv'].filter((url) => Repository.safeParse({ kind: 'local', url }).success),
    ).toEqual([]);
  });
});

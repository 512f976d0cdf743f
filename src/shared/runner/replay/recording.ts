import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { Usage } from '../../domain/change.ts';
import { TaskRole } from '../../domain/ids.ts';
import { InvalidInputError, messageOf, MultiAgentError } from '../../errors/errors.ts';
import { parseVerdict } from '../verdict.ts';
import { faultOfPath } from '../workspace-file.ts';

const Milliseconds = z
  .number()
  .int()
  .min(0)
  .max(24 * 3_600_000);

/** Something the runner says, `afterMs` (default 0) after the one before it. */
const RecordedEvent = z.strictObject({
  type: z.enum(['stdout', 'stderr', 'note']).default('note'),
  text: z.string().max(65_536),
  afterMs: Milliseconds.default(0),
});

const FilePath = z.string().superRefine((path, context) => {
  const fault = faultOfPath(path);
  if (fault !== undefined) context.addIssue({ code: 'custom', message: `"${path}" ${fault}` });
});

const Resolution = z.enum(['ours', 'theirs', 'union']);
export type Resolution = z.infer<typeof Resolution>;

/** One change of one file. */
const RecordedEdit = z.union([
  z.strictObject({ path: FilePath, content: z.string() }),
  z.strictObject({ path: FilePath, append: z.string() }),
  z.strictObject({ path: FilePath, replace: z.strictObject({ from: z.string().min(1), to: z.string() }) }),
  z.strictObject({ path: FilePath, delete: z.literal(true) }),
  z.strictObject({ path: FilePath.optional(), resolve: Resolution }),
]);
export type RecordedEdit = z.infer<typeof RecordedEdit>;

const FailureCode = z.enum(['runner_failed', 'runner_timeout', 'invalid_verdict', 'runner_unavailable', 'runner_stalled']);
export type FailureCode = z.infer<typeof FailureCode>;

const RecordedVerdict = z.unknown().superRefine((verdict, context) => {
  try {
    if (verdict !== undefined) parseVerdict(verdict);
  } catch (error) {
    context.addIssue({ code: 'custom', message: error instanceof MultiAgentError ? error.message : messageOf(error) });
  }
});

/**
 * One entry of a recording: what a runner does for one task. A recording is a file of JSON lines, one entry each; empty
 * lines and lines that start with `#` are left out.
 *
 *     {"role":"coder","events":[{"text":"reading the code","afterMs":200}],"edits":[{"path":"a.txt","append":"one\n"}],"summary":"adds one"}
 *     {"role":"reviewer","round":1,"verdict":{"decision":"REQUEST_CHANGES","summary":"no tests","comments":[]}}
 *     {"role":"reviewer","round":2,"verdict":{"decision":"APPROVE","summary":"good"}}
 *
 * - `role`, `round`, `try`: the task it answers. One without a round (or a try) answers all those that no entry names.
 *   Where there is none such either, the last one before it is played again.
 * - `match.title`: only for features with this in their title. `match.conflicts`: only for conflict rounds, which
 *   otherwise get what the round would get. An entry that matches goes before those that ask for nothing.
 * - `events`, then `edits`: what it says and when, then what it does to files, in order: `content` (the whole file),
 *   `append`, `replace` (the first occurrence; fine when it was replaced already), `delete`, `resolve` (conflict markers:
 *   our side, their side, or both one after the other; without a path in every conflicted file).
 * - `summary` and `usage` (tokens, US dollars), and for a reviewer the `verdict`.
 * - `fail`: after all that it fails, with a code of the runner port. (A stall is an event with a long `afterMs`.)
 */
export const RecordedEntry = z
  .strictObject({
    role: TaskRole,
    round: z.number().int().positive().max(9_999).optional(),
    try: z.number().int().positive().max(9_999).optional(),
    match: z.strictObject({ title: z.string().min(1).optional(), conflicts: z.literal(true).optional() }).optional(),
    events: z.array(RecordedEvent).default([]),
    edits: z.array(RecordedEdit).default([]),
    summary: z.string().max(100_000).default(''),
    usage: Usage.optional(),
    verdict: RecordedVerdict.optional(),
    fail: z.strictObject({ code: FailureCode, message: z.string().min(1).optional() }).optional(),
  })
  .superRefine((entry, context) => {
    const needsVerdict = entry.role === 'reviewer' && entry.fail === undefined;
    if (needsVerdict && entry.verdict === undefined)
      context.addIssue({ code: 'custom', path: ['verdict'], message: 'a reviewer gives one' });
    if (entry.role === 'reviewer' && entry.edits.length > 0)
      context.addIssue({ code: 'custom', path: ['edits'], message: 'a reviewer edits nothing' });
    if (entry.role === 'coder' && entry.verdict !== undefined)
      context.addIssue({ code: 'custom', path: ['verdict'], message: 'only a reviewer gives one' });
  });
export type RecordedEntry = z.infer<typeof RecordedEntry>;

/**
 * Reads and checks a recording.
 *
 * Throws `InvalidInputError` `invalid_recording` naming every fault with its line.
 */
export function readRecording(path: string): readonly RecordedEntry[] {
  const entries: RecordedEntry[] = [];
  const faults: string[] = [];
  const lineOfKey = new Map<string, number>();
  for (const [index, line] of textOf(path).split('\n').entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue;
    const place = `${path}:${String(index + 1)}`;
    const entry = readEntry(line, (fault) => faults.push(`${place}: ${fault}`));
    if (entry === undefined) continue;
    const key = JSON.stringify([entry.role, entry.round, entry.try, entry.match?.title, entry.match?.conflicts]);
    const earlier = lineOfKey.get(key);
    if (earlier !== undefined) faults.push(`${place}: answers the same as line ${String(earlier)}`);
    lineOfKey.set(key, index + 1);
    entries.push(entry);
  }
  if (entries.length === 0 && faults.length === 0) faults.push(`${path}: the recording has no entry`);
  if (faults.length > 0) throw new InvalidInputError('invalid_recording', faults);
  return entries;
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new InvalidInputError('invalid_recording', [`the recording ${path} cannot be read: ${messageOf(cause)}`], { cause });
  }
}

function readEntry(line: string, addFault: (fault: string) => void): RecordedEntry | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line) as unknown;
  } catch (error) {
    addFault(`is not JSON (${messageOf(error)})`);
    return undefined;
  }
  const parsed = RecordedEntry.safeParse(value);
  for (const issue of parsed.error?.issues ?? []) addFault(`${issue.path.join('.') || 'entry'}: ${issue.message}`);
  return parsed.data;
}

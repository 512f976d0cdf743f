import type { CheckResult, FileChange } from '../../shared/domain/change.ts';
import type { Review } from '../../shared/domain/review.ts';
import type { JobDetails } from '../../shared/domain/view.ts';
import { jobLines } from './job.ts';
import type { Style } from './style.ts';
import { visible, visibleLines } from './visible.ts';

export interface ShownDiff {
  readonly text?: string | undefined;
  /** Why there is none, or not all of it. */
  readonly note?: string | undefined;
}

/** Everything about a job, for people. */
export function detailLines(job: JobDetails, diff: ShownDiff, style: Style, now: number): string[] {
  return [
    ...jobLines(job, style, now),
    ...section('Description', visibleLines(job.feature.description.trim()), style),
    ...section('Requirements', job.feature.requirements.map(bullet), style),
    ...section('Acceptance criteria', job.feature.acceptanceCriteria.map(bullet), style),
    ...section('Summary', visibleLines((job.summary ?? '').trim()), style),
    ...section(
      'Commits',
      job.commits.map(({ id, message }) => `${style.yellow(id.slice(0, 10))} ${visible(message.split('\n')[0] ?? '')}`),
      style,
    ),
    ...section(
      'Files',
      job.filesChanged.map((file) => fileLine(file, style)),
      style,
    ),
    ...section(
      job.checksDetected === true ? 'Checks (detected; `.multi-agent.json` says otherwise)' : 'Checks',
      (job.checks ?? []).flatMap((check) => checkLines(check, style)),
      style,
    ),
    ...section(
      'Reviews',
      job.reviews.flatMap((review) => reviewLines(review, style)),
      style,
    ),
    ...section('Diff', diffLines(diff, style), style),
  ];
}

function section(title: string, lines: readonly string[], style: Style): string[] {
  const said = lines.some((line) => line.trim() !== '');
  return said ? ['', style.bold(title), ...lines.map((line) => `  ${line}`.trimEnd())] : [];
}

function bullet(text: string): string {
  return `- ${visible(text)}`;
}

function fileLine({ path, status, additions, deletions }: FileChange, style: Style): string {
  const letter = status.charAt(0).toUpperCase();
  return `${letter} ${visible(path)} ${style.green(`+${String(additions)}`)} ${style.red(`-${String(deletions)}`)}`;
}

function checkLines({ command, passed, exitCode, durationMs, output }: CheckResult, style: Style): string[] {
  const took = `${(durationMs / 1_000).toFixed(1)} s`;
  if (passed) return [`${style.green('✔')} ${visible(command)} ${style.dim(took)}`];
  const how = exitCode === null ? 'was ended' : `exit ${String(exitCode)}`;
  return [
    `${style.red('✘')} ${visible(command)} ${style.dim(`${how}, ${took}`)}`,
    ...visibleLines(output.trimEnd()).map((line) => style.dim(`    ${line}`)),
  ];
}

function reviewLines({ round, decision, headCommit, summary, comments }: Review, style: Style): string[] {
  return [
    `${style.bold(`Round ${String(round)}: ${decision}`)} ${style.dim(`of ${headCommit.slice(0, 10)}`)}`,
    ...visibleLines(summary.trim()),
    ...comments.flatMap(({ path, line, severity, body, suggestion }) => [
      `${style.cyan(`${visible(path)}:${String(line)}`)} ${severity}`,
      ...visibleLines(body.trim()).map((text) => `  ${text}`),
      ...(suggestion === undefined ? [] : visibleLines(suggestion).map((text) => style.green(`  + ${text}`))),
    ]),
  ];
}

function diffLines({ text, note }: ShownDiff, style: Style): string[] {
  const lines = (text ?? '')
    .trimEnd()
    .split('\n')
    .map((line) => colouredDiffLine(visible(line), style));
  return [...(text === undefined ? [] : lines), ...(note === undefined ? [] : [style.dim(note)])];
}

function colouredDiffLine(line: string, style: Style): string {
  if (/^(\+\+\+|---|diff |index |new file|deleted file|rename |similarity )/.test(line)) return style.bold(line);
  if (line.startsWith('@@')) return style.cyan(line);
  if (line.startsWith('+')) return style.green(line);
  return line.startsWith('-') ? style.red(line) : line;
}

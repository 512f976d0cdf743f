import type { JobView } from '../../shared/domain/view.ts';
import { age, counted, duration, usageText } from './amounts.ts';
import type { Style } from './style.ts';
import { visible } from './visible.ts';
import { padded } from './width.ts';

const LABEL_COLUMNS = 11;

/** A job for people: a line with its title, and one for each thing that is known. */
export function jobLines(job: JobView, style: Style, now: number): string[] {
  const facts: (readonly [string, string | undefined])[] = [
    ['status', statusText(job, style)],
    ['repository', `${visible(job.repository)}${job.branch === null ? '' : ` (${visible(job.branch)})`}`],
    ['priority', job.priority === 'normal' ? undefined : job.priority],
    ['submitted', timeText(job, now)],
    ['working', workText(job, now)],
    ['change', changeText(job)],
    ['review', reviewText(job, style)],
    ['checks', checksText(job, style)],
    ['cost', usageText(job.usage) || undefined],
    ['error', job.error && style.red(`${visible(job.error.message)} (${job.error.code})`)],
    ['held up', job.delay && visible(`${job.delay.message} (${job.delay.code}; tried again by itself)`)],
    ['needs you', job.needs && visible(job.needs.message)],
    ['', job.needs && style.bold(visible(job.needs.command))],
    ['', job.status === 'FAILED' && job.error?.retryable !== false ? style.dim(`go on with: multi-agent retry ${job.id}`) : undefined],
  ];
  const lines = facts.flatMap(([label, text]) => (text === undefined ? [] : [`  ${style.dim(padded(label, LABEL_COLUMNS))} ${text}`]));
  return [`${style.bold(visible(job.title))}  ${style.dim(job.id)}`, ...lines];
}

/** `IN_PROGRESS, reviewing, round 2 of 3` */
export function statusText(job: JobView, style: Style): string {
  const phase = job.phase === 'done' || job.phase === 'queued' ? '' : `, ${job.phase}`;
  const round = job.round === 0 ? '' : `, round ${roundText(job)}`;
  return `${colourOf(job.status, style)(job.status)}${phase}${round}`;
}

/** `2 of 3`; conflict rounds are told apart, since they do not count. */
export function roundText({ round, conflictRounds, maxRounds }: JobView): string {
  const limit = round - conflictRounds <= maxRounds ? ` of ${String(maxRounds)}` : '';
  return conflictRounds === 0
    ? `${String(round)}${limit}`
    : `${String(round - conflictRounds)}${limit} (and ${counted(conflictRounds, 'conflict round')})`;
}

export function colourOf(status: JobView['status'], style: Style): (text: string) => string {
  switch (status) {
    case 'COMPLETED':
      return style.green;
    case 'FAILED':
      return style.red;
    case 'WAITING_APPROVAL':
    case 'CANCELLED':
      return style.yellow;
    case 'IN_PROGRESS':
      return style.cyan;
    case 'PENDING':
      return style.dim;
  }
}

function timeText(job: JobView, now: number): string {
  const began = Date.parse(job.createdAt);
  const took = job.finishedAt === undefined ? '' : `, took ${duration(Date.parse(job.finishedAt) - began)}`;
  return `${age(now - began)} ago${took}`;
}

function workText({ task, attempt }: JobView, now: number): string | undefined {
  if (!task) return undefined;
  if (task.agentId === undefined) return 'waits for a free agent';
  const since = task.startedAt === undefined ? '' : ` since ${duration(now - Date.parse(task.startedAt))}`;
  return `${task.agentId}${since}${attempt > 1 ? `, attempt ${String(attempt)}` : ''}`;
}

function changeText({ changeRequest }: JobView): string | undefined {
  if (!changeRequest) return undefined;
  const merged = changeRequest.mergeCommit ? ` as ${changeRequest.mergeCommit.slice(0, 10)}` : '';
  return `#${String(changeRequest.number)} ${visible(changeRequest.head)} → ${visible(changeRequest.base)}, ${changeRequest.state}${merged}`;
}

function reviewText({ review }: JobView, style: Style): string | undefined {
  if (!review) return undefined;
  const colour = review.decision === 'APPROVE' ? style.green : review.decision === 'REQUEST_CHANGES' ? style.yellow : style.cyan;
  const comments = review.comments.length > 0 ? ` (${counted(review.comments.length, 'comment')})` : '';
  return `${colour(review.decision)}${comments} ${visible(review.summary.split('\n')[0] ?? '')}`;
}

function checksText({ checks, checksDetected }: JobView, style: Style): string | undefined {
  if (!checks || checks.length === 0) return undefined;
  const results = checks.map(({ command, passed }) => (passed ? style.green(`✔ ${visible(command)}`) : style.red(`✘ ${visible(command)}`)));
  return [...results, ...(checksDetected === true ? [style.dim('(detected)')] : [])].join('  ');
}

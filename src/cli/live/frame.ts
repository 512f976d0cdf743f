import type { Phase } from '../../shared/domain/job.ts';
import type { JobView } from '../../shared/domain/view.ts';
import { duration, usageText } from '../render/amounts.ts';
import { isRecording } from '../render/event-line.ts';
import { roundText } from '../render/job.ts';
import type { Style } from '../render/style.ts';
import { visible } from '../render/visible.ts';
import { truncated, widthOf } from '../render/width.ts';
import type { Progress } from './progress.ts';

export interface FrameLook {
  readonly style: Style;
  readonly columns: number;
  readonly now: number;
  /** Counts up with each frame. */
  readonly tick: number;
}

const SPINNER = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const PHASES: readonly Phase[] = ['queued', 'implementing', 'reviewing', 'approving', 'merging'];

/** The lines at the bottom of the terminal: title, phases, who works, what it said, what it took. None is wider than the terminal. */
export function frameOf({ job, runner, said, connected }: Progress, look: FrameLook): string[] {
  const { style, columns } = look;
  if (!job) return [style.dim('…')];
  return [
    headLine(job, look),
    phaseLine(job, look),
    `  ${workerText(job, runner, look)}`,
    ...said.map((line) => style.dim(truncated(`  │ ${line}`, columns))),
    style.dim(truncated(`  ${footer(job, look.now)}`, columns)),
    ...(connected ? [] : [style.yellow(truncated('  The connection to NATS is lost; trying again. The job goes on.', columns))]),
  ];
}

function headLine(job: JobView, { style, columns }: FrameLook): string {
  const room = columns - widthOf(job.id) - 2;
  // In a narrow terminal the title is worth more than the id.
  if (room < 20) return style.bold(truncated(visible(job.title), columns));
  return `${style.bold(truncated(visible(job.title), room))}  ${style.dim(job.id)}`;
}

function phaseLine(job: JobView, { style, columns, tick }: FrameLook): string {
  const shown = PHASES.filter((phase) => phase !== 'approving' || job.phase === 'approving' || job.merge === 'manual');
  const at = job.phase === 'done' ? shown.length : shown.indexOf(job.phase);
  const marks = shown.map((phase, index) => {
    if (index < at) return { text: `✔ ${phase}`, paint: style.green };
    if (index > at) return { text: `○ ${phase}`, paint: style.dim };
    const waiting = job.status === 'WAITING_APPROVAL';
    return { text: `${waiting ? '⏸' : (SPINNER[tick % SPINNER.length] ?? '')} ${phase}`, paint: waiting ? style.yellow : style.cyan };
  });
  const round = job.round === 0 ? '' : `round ${roundText(job)}`;
  const room = columns - round.length - 4;
  let used = 2;
  const fitting = marks.filter(({ text }) => (used += widthOf(text) + 2) <= room);
  return truncatedPlain(`  ${fitting.map(({ text, paint }) => paint(text)).join('  ')}  ${round}`, fitting.length === 0, round, columns);
}

/** Where not even one phase fits, the round alone has to do. */
function truncatedPlain(line: string, nothingFits: boolean, round: string, columns: number): string {
  return nothingFits ? truncated(`  ${round}`, columns) : line;
}

function workerText(job: JobView, runner: string | undefined, { style, columns, now }: FrameLook): string {
  const room = columns - 2;
  if (job.delay) return style.yellow(truncated(`held up: ${visible(job.delay.message)}`, room));
  if (job.needs) return style.yellow(truncated(`waits for you: ${visible(job.needs.command)}`, room));
  if (job.phase === 'done') return truncated(job.status, room);
  if (!job.task) return style.dim(truncated(job.status === 'PENDING' ? 'waits for a repo-manager' : 'the repo-manager works on it', room));
  if (job.task.agentId === undefined) return style.dim(truncated('waits for a free agent', room));
  const since = job.task.startedAt === undefined ? '' : ` · ${duration(now - Date.parse(job.task.startedAt))}`;
  const attempt = job.attempt > 1 ? ` · attempt ${String(job.attempt)}` : '';
  const text = truncated(`${job.task.agentId}${runner === undefined ? '' : ` · ${runnerText(runner)}`}${attempt}${since}`, room);
  return runner !== undefined && isRecording(runner) ? style.yellow(text) : text;
}

function runnerText(runner: string): string {
  return isRecording(runner) ? `${visible(runner)} (a recording is played)` : visible(runner);
}

function footer(job: JobView, now: number): string {
  const end = job.finishedAt === undefined ? now : Date.parse(job.finishedAt);
  return [`${duration(end - Date.parse(job.createdAt))} elapsed`, usageText(job.usage)].filter((text) => text !== '').join(' · ');
}

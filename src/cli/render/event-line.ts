import type { JobEvent } from '../../shared/domain/event.ts';
import { counted, usageText } from './amounts.ts';
import type { Style } from './style.ts';
import { visible } from './visible.ts';

const ACTIONS = { coder: 'implementation', reviewer: 'review' } as const;

/** A runner that plays a recording says so by its name: nobody thinks there. */
export function isRecording(runner: string): boolean {
  return runner.startsWith('replay');
}

/** What happened, in one line of one sentence. */
export function eventLine(event: JobEvent, style: Style): string {
  switch (event.type) {
    case 'JobAccepted':
      return `${style.green('✔')} accepted, based on ${visible(event.base)}`;
    case 'TaskSent':
      return `${style.cyan('→')} round ${event.round}: ${ACTIONS[event.role]} sent out${event.dispatch > 1 ? ` (for the ${ordinal(event.dispatch)} time)` : ''}`;
    case 'TaskStarted':
      return `${style.cyan('●')} round ${event.round}: ${event.agentId} works on the ${ACTIONS[event.role]} ${runnerText(event.runner, style)}${event.attempt > 1 ? `, attempt ${event.attempt}` : ''}`;
    case 'TaskRetried':
      return `${style.yellow('↻')} round ${event.round}: ${ACTIONS[event.role]} is tried again: ${oneLine(event.error.message)}`;
    case 'TryFailed':
      return `${style.yellow('↻')} round ${event.round}: try ${event.tryNumber} was not good enough (${event.reason.replaceAll('_', ' ')}): ${oneLine(event.message)}`;
    case 'ImplementationFinished':
      return `${style.green('✔')} round ${event.round}: implemented, ${counted(event.filesChanged, 'file')} changed${suffix(event.summary)}`;
    case 'ChangeRequestOpened':
      return `${style.green('✔')} change request #${event.changeRequest.number} opened: ${visible(event.changeRequest.head)} → ${visible(event.changeRequest.base)}`;
    case 'ReviewFinished':
      return `${decisionText(event.decision, event.round, style)}${event.comments > 0 ? `, ${counted(event.comments, 'comment')}` : ''}${suffix(event.summary)}`;
    case 'ConflictFound':
      return `${style.yellow('⚡')} conflict with the base${event.paths.length > 0 ? ` in ${event.paths.map(visible).join(', ')}` : ''}: round ${event.round} resolves it`;
    case 'ApprovalNeeded':
      return `${style.yellow('⏸')} waits for you: ${oneLine(event.message)} ${style.bold(oneLine(event.command))}`;
    case 'JobRetried':
      return `${style.cyan('↻')} retried, from round ${event.round}`;
    case 'FeatureResult':
      return resultText(event, style);
  }
}

function runnerText(runner: string, style: Style): string {
  return isRecording(runner) ? style.yellow(`(${visible(runner)}: plays a recording)`) : `(${visible(runner)})`;
}

function decisionText(decision: Extract<JobEvent, { type: 'ReviewFinished' }>['decision'], round: number, style: Style): string {
  switch (decision) {
    case 'APPROVE':
      return `${style.green('✔')} round ${round}: approved`;
    case 'REQUEST_CHANGES':
      return `${style.yellow('✎')} round ${round}: changes requested`;
    case 'COMMENT':
      return `${style.cyan('✎')} round ${round}: commented on`;
  }
}

function resultText(event: Extract<JobEvent, { type: 'FeatureResult' }>, style: Style): string {
  const usage = usageText(event.usage);
  const cost = usage === '' ? '' : ` (${usage})`;
  switch (event.status) {
    case 'COMPLETED':
      return `${style.green('✔')} ${style.bold('merged')}${event.changeRequest?.mergeCommit ? ` as ${event.changeRequest.mergeCommit.slice(0, 10)}` : ''} after ${counted(event.round, 'round')}${cost}`;
    case 'FAILED':
      return `${style.red('✘')} ${style.bold('failed')}${event.error ? `: ${oneLine(event.error.message)}` : ''}${cost}`;
    case 'CANCELLED':
      return `${style.yellow('■')} ${style.bold('cancelled')}${cost}`;
  }
}

function suffix(summary: string): string {
  const first = oneLine(summary);
  return first === '' ? '' : `: ${first}`;
}

function oneLine(text: string): string {
  return visible(text.trim().split('\n')[0] ?? '');
}

function ordinal(n: number): string {
  return n === 2 ? '2nd' : n === 3 ? '3rd' : `${String(n)}th`;
}

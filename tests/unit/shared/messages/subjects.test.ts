import { describe, expect, it } from '@jest/globals';
import { PRIORITIES } from '../../../../src/shared/domain/priority.ts';
import { subjects } from '../../../../src/shared/messages/subjects.ts';
import { JOB_ID } from '../domain/stories.ts';

const TASK_ID = `${JOB_ID}.review.2`;
/** A subject of NATS as a row of tokens. */
const of = (...tokens: readonly string[]): string => tokens.join('.');
const SOURCES = ['coder', 'reviewer', 'command', 'forge', 'clock'] as const;
const ROLES = ['coder', 'reviewer'] as const;

describe('subjects', () => {
  it.each([
    ['of a request', subjects.request(JOB_ID), of('request', JOB_ID)],
    ['of an event', subjects.event(JOB_ID, 'TaskSent'), of('event', JOB_ID, 'TaskSent')],
    ['of all events of a job', subjects.eventsOf(JOB_ID), of('event', JOB_ID, '*')],
    ['of a log', subjects.log(JOB_ID, TASK_ID), of('log', JOB_ID, TASK_ID)],
    ['of all logs of a job', subjects.logsOf(JOB_ID), of('log', JOB_ID, '>')],
    ['of a dead letter', subjects.dead('repo-manager'), of('dead', 'repo-manager')],
    ['of a cancellation', subjects.cancel(TASK_ID), of('cancel', TASK_ID)],
    ['of a missing bundle', subjects.bundleNeed, of('bundles', 'need')],
    ...SOURCES.map((source) => [`of an input from ${source}`, subjects.input(source, JOB_ID), of('input', source, JOB_ID)] as const),
    ...ROLES.flatMap((role) =>
      PRIORITIES.map((level) => [`of a task: ${role}, ${level}`, subjects.task(role, level), of('task', role, level)] as const),
    ),
  ])('%s have the documented shape', (_, subject, shape) => {
    expect(subject).toBe(shape);
  });

  it.each([
    [subjects.requests, subjects.request(JOB_ID)],
    [subjects.inputs, subjects.input('command', JOB_ID)],
    [subjects.tasks, subjects.task('coder', 'low')],
    [subjects.events, subjects.event(JOB_ID, 'TaskSent')],
    [subjects.eventsOf(JOB_ID), subjects.event(JOB_ID, 'TaskSent')],
    [subjects.logs, subjects.log(JOB_ID, TASK_ID)],
    [subjects.logsOf(JOB_ID), subjects.log(JOB_ID, TASK_ID)],
    [subjects.deadLetters, subjects.dead('coder')],
  ])('%s takes in %s', (pattern, subject) => {
    const source = pattern.replaceAll('.', '\\.').replaceAll('*', '[^.]+').replace('>', '.+');

    expect(subject).toMatch(new RegExp(`^${source}$`));
  });
});

import type { CommitId } from '../../shared/domain/ids.ts';
import { recordChange, type RecordedChange } from '../../shared/git/change.ts';
import type { ImplementationRequest } from '../../shared/messages/task.ts';
import type { TaskRun } from '../base/task-worker.ts';
import type { Desk } from './desk.ts';

/** Makes the commit of a round: the same tree in the same round of the same job gives the same commit, whoever makes it. */
export async function recordWork(run: TaskRun<ImplementationRequest>, desk: Desk, summary: string): Promise<RecordedChange | null> {
  const { message } = run;
  const parents: CommitId[] = message.mergeWith === undefined ? [message.startCommit] : [message.startCommit, message.mergeWith];
  return recordChange(desk.workspace, {
    parents,
    message: messageOf(message, summary),
    // From the job, not from a clock.
    at: message.jobCreatedAt + message.round * 1_000,
    conflictPaths: desk.conflicts.map(({ path }) => path),
  });
}

function messageOf({ feature, jobId, round, mergeWith, baseBranch }: ImplementationRequest, summary: string): string {
  const subject = mergeWith === undefined ? feature.title : `Merge ${baseBranch} into: ${feature.title}`;
  return [subject, summary.trim(), `Multi-Agent-Job: ${jobId}\nMulti-Agent-Round: ${String(round)}`]
    .filter((part) => part !== '')
    .join('\n\n');
}

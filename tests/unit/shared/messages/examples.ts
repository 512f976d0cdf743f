import { viewOf } from '../../../../src/shared/domain/view.ts';
import type { JobEvent } from '../../../../src/shared/domain/event.ts';
import { BASE, changeRequestOf, commit, JOB_ID, merging, request } from '../domain/stories.ts';

const AT = 1_000_000;
const TASK_ID = `${JOB_ID}.implement.1`;
const REVIEW_ID = `${JOB_ID}.review.1`;
const usage = { inputTokens: 1, outputTokens: 2, costUsd: 0.5 };
const error = { code: 'runner_failed', message: 'It failed.', retryable: true };
const bundle = { name: `app-1/${TASK_ID}.1.out`, sha256: 'a'.repeat(64), sizeBytes: 10, tip: commit(2) };
const check = { command: 'npm test', passed: false, exitCode: null, durationMs: 12.5, output: 'killed' };
const comment = { path: 'a.ts', line: 3, side: 'RIGHT', severity: 'error', body: 'No.', suggestion: 'yes' };
const review = { round: 1, decision: 'REQUEST_CHANGES', headCommit: commit(2), summary: 'Not yet.', comments: [comment] };
const changeRequest = changeRequestOf(merging(), commit(2));
const { feature, workflow, repository } = request();

const v = { v: 1, traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01` };
const report = { ...v, jobId: JOB_ID, taskId: TASK_ID, dispatch: 1, attempt: 1, agentId: 'coder-1', at: AT };
const work = { bundle, startCommit: BASE, headCommit: commit(2) };
const command = { ...v, jobId: JOB_ID, commandId: 'c-1', at: AT };
const task = {
  ...v,
  jobId: JOB_ID,
  taskId: TASK_ID,
  round: 1,
  dispatch: 1,
  attemptsBefore: 0,
  priority: 'high',
  repositoryKey: 'app-1',
  feature,
  workflow,
  baseBranch: 'main',
  baseCommit: BASE,
  settings: { setup: [], checks: ['npm test', ['npm', 'run', 'lint']], timeoutMs: 1_000, env: ['CI'] },
  reviews: [review],
  bundle,
  bundleKey: 'aGVsbG8=',
  jobCreatedAt: AT,
};
const taskOf = { taskId: TASK_ID, role: 'coder', round: 1 } as const;
const events: readonly JobEvent[] = [
  { type: 'JobAccepted', title: viewOf(merging()).title, repository: '/srv/app', base: 'main' },
  { type: 'TaskSent', ...taskOf, dispatch: 1 },
  { type: 'TaskStarted', ...taskOf, attempt: 1, agentId: 'coder-1', runner: 'command' },
  { type: 'TaskRetried', ...taskOf, error },
  { type: 'TryFailed', ...taskOf, tryNumber: 1, reason: 'checks_failed', message: 'Red.' },
  { type: 'ImplementationFinished', round: 1, headCommit: commit(2), summary: 'Done.', filesChanged: 1 },
  { type: 'ChangeRequestOpened', changeRequest },
  { type: 'ReviewFinished', round: 1, headCommit: commit(2), decision: 'APPROVE', summary: 'Good.', comments: 0 },
  { type: 'ConflictFound', round: 1, baseCommit: BASE, paths: ['a.ts'] },
  { type: 'ApprovalNeeded', kind: 'approval', message: 'Yours.', command: 'multi-agent approve' },
  { type: 'JobRetried', round: 1 },
  { type: 'FeatureResult', status: 'FAILED', round: 1, usage, changeRequest, error },
];

/** A whole example, optional fields included, of everything in the catalogue, by name. */
export const examples: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  FeatureRequest: {
    ...v,
    type: 'FeatureRequest',
    jobId: JOB_ID,
    key: 'k',
    priority: 'normal',
    repository,
    branch: 'main',
    feature,
    workflow: { ...workflow, maxCostUsd: 2 },
    submittedAt: AT,
  },
  ImplementationRequest: { ...task, type: 'ImplementationRequest', startCommit: BASE, mergeWith: commit(4), checks: [check] },
  ReviewRequest: { ...task, type: 'ReviewRequest', taskId: REVIEW_ID, headCommit: commit(2), summary: 'Done.', checks: [check] },
  TaskStarted: { ...report, type: 'TaskStarted' },
  ImplementationResult: {
    ...report,
    type: 'ImplementationResult',
    ...work,
    summary: 'Done.',
    commits: [{ id: commit(2), message: 'Add it' }],
    filesChanged: [{ path: 'a.ts', status: 'added', additions: 1, deletions: 0 }],
    checks: [check],
    usage,
  },
  ReviewResult: { ...report, type: 'ReviewResult', taskId: REVIEW_ID, agentId: 'reviewer-1', review, usage },
  TaskFailed: { ...report, type: 'TaskFailed', error, usage, checks: [check], work },
  UsageReported: { ...report, type: 'UsageReported', usage, runs: 2 },
  StopJob: { ...command, type: 'StopJob' },
  ApproveJob: { ...command, type: 'ApproveJob', headCommit: commit(2) },
  RejectJob: { ...command, type: 'RejectJob', headCommit: commit(2), comment: 'Not so.' },
  RetryJob: { ...command, type: 'RetryJob' },
  ...Object.fromEntries(events.map((event) => [`JobEventMessage.${event.type}`, { ...v, jobId: JOB_ID, at: AT, event }])),
  LogBatch: { ...v, jobId: JOB_ID, taskId: TASK_ID, attempt: 1, entries: [{ at: AT, type: 'stdout', text: 'hello' }] },
  DeadLetter: {
    ...v,
    at: AT,
    stream: 'TASKS',
    subject: 'x',
    streamSeq: 1,
    deliveries: 5,
    reason: { code: 'bad_schema', message: 'No.' },
    payload: 'aGVsbG8=',
  },
  BundleNeed: { ...v, type: 'BundleNeed', jobId: JOB_ID, taskId: TASK_ID, dispatch: 1, attempt: 1, have: [BASE] },
  BundleAnswer: { ...v, type: 'BundleMade', bundle },
  Job: { ...merging() },
  Claim: {
    ...v,
    taskId: TASK_ID,
    dispatch: 1,
    streamSeq: 1,
    attempt: 1,
    agentId: 'coder-1',
    incarnation: 'i',
    handBacks: 0,
    handedBack: false,
    reported: true,
    wip: bundle,
  },
  Lock: { ...v, holder: 'repo-manager-1', incarnation: 'i', renewal: 0 },
  Heartbeat: {
    ...v,
    agentId: 'coder-1',
    role: 'coder',
    incarnation: 'i',
    pid: 1,
    host: 'box',
    state: 'busy',
    task: TASK_ID,
    counters: { tasksProcessed: 1, tasksFailed: 0 },
    rssBytes: 1,
    version: '0.1.0',
    runner: 'command',
    startedAt: AT,
    beat: 1,
  },
};

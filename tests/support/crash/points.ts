import type { Moment } from './armed-point.ts';
import type { Role } from './system.ts';

/** A place in a daemon's work where it is killed, and what it takes to get there. */
export interface CrashPoint {
  readonly role: Role;
  readonly call: string;
  readonly at: Moment;
  /** Which of the calls of this name. Default 1. */
  readonly nth?: number;
  /** Rounds of the job. Default 1: approved at once. */
  readonly rounds?: 2;
  /**
   * What else has to happen: `coder-killed`: a coder was killed in its run before, so that the task is revoked and sent out
   * again; `stopped-in-run`: the daemon is asked to stop while its runner works, and hands its task back; `agents-late`: no agent
   * looks for a task before the repo-manager has gone over its work again; `landed`: the repo-manager was killed before, when the change
   * had just been merged.
   */
  readonly given?: 'coder-killed' | 'stopped-in-run' | 'agents-late' | 'landed';
  /** Points of other roles that go off in the same job. */
  readonly also?: readonly CrashPoint[];
}

const AROUND: readonly Moment[] = ['before', 'after'];
const OF_EFFECTS: readonly Moment[] = ['before', 'done', 'recorded'];

/** Every effect of a job: demanded and not begun, done and not recorded, recorded and its input not acknowledged. */
const EFFECTS: readonly CrashPoint[] = [
  ...each('repo-manager', OF_EFFECTS, [
    'effect PrepareRepository',
    'effect SendTask.coder.1',
    'effect SendTask.reviewer.1',
    'effect AcceptWork',
    'effect ProposeChange.first',
    'effect PostReview',
    'effect MergeChange',
    'effect PublishEvent.FeatureResult',
    'effect CloseJob',
  ]),
  ...each('repo-manager', OF_EFFECTS, ['effect SendTask.coder.2', 'effect ProposeChange.again'], { rounds: 2 }),
  ...each('repo-manager', ['done'], ['effect SendTask.coder.1', 'effect SendTask.reviewer.1'], { given: 'agents-late' }),
  ...each('repo-manager', OF_EFFECTS, ['effect RevokeTask'], { given: 'coder-killed' }),
];

/** Every call by which a repo-manager changes something, or learns what it decides upon. */
const REPO_MANAGER: readonly CrashPoint[] = [
  ...each('repo-manager', AROUND, ['put open', 'put jobs']),
  ...each('repo-manager', AROUND, ['put locks', 'delete KV_locks', 'delete KV_claims', 'delete KV_open']),
  ...each('repo-manager', AROUND, ['publish task.coder', 'publish task.reviewer']),
  ...each(
    'repo-manager',
    ['after'],
    [
      'publish event.JobAccepted',
      'publish event.TaskSent',
      'publish event.ImplementationFinished',
      'publish event.ReviewFinished',
      'publish event.FeatureResult',
    ],
  ),
  ...each('repo-manager', AROUND, ['publish event.TaskRetried', 'delete TASKS'], { given: 'coder-killed' }),
  ...each('repo-manager', AROUND, ['bundles put', 'bundles get', 'bundles remove']),
  ...each('repo-manager', AROUND, [
    'forge open',
    'forge fetchBase',
    'forge fetchHead',
    // Between them the commits are taken in and pinned.
    'forge listCommits',
    'forge publishBranch',
    'forge openChangeRequest',
    'forge postReview',
    'forge land',
  ]),
  ...each('repo-manager', AROUND, [
    'git init',
    'git index-pack',
    'git unpack-objects',
    'git merge-tree',
    'git read-tree',
    'git update-ref',
  ]),
  ...each('repo-manager', AROUND, ['forge findMerge'], { given: 'landed' }),
  // The second one is that of the merge: base and branch move. So do the objects before it.
  ...each('repo-manager', AROUND, ['git update-ref', 'git unpack-objects'], { nth: 2 }),
  // The request's, that of a task's start, that of its result.
  ...[1, 2, 3].flatMap((nth) => each('repo-manager', ['before'], ['send ack'], { nth })),
];

const CODER: readonly CrashPoint[] = [
  ...each('coder', AROUND, ['put claims', 'publish TaskStarted', 'bundles get']),
  ...each('coder', AROUND, ['git init', 'git index-pack', 'git read-tree', 'git write-tree', 'git pack-objects']),
  // Before the run the workspace is taken.
  ...each('coder', AROUND, ['runner run', 'bundles put', 'publish ImplementationResult', 'ack']),
  ...each('coder', AROUND, ['bundles put', 'put claims handback', 'send nak'], { given: 'stopped-in-run' }),
];

const REVIEWER: readonly CrashPoint[] = [
  ...each('reviewer', AROUND, ['put claims', 'publish TaskStarted', 'git read-tree', 'git diff']),
  ...each('reviewer', AROUND, ['runner run', 'publish ReviewResult', 'ack']),
  ...each('reviewer', AROUND, ['put claims handback', 'send nak'], { given: 'stopped-in-run' }),
];

export const REPO_MANAGER_POINTS: readonly CrashPoint[] = [...EFFECTS, ...REPO_MANAGER];
export const AGENT_POINTS: readonly CrashPoint[] = [...CODER, ...REVIEWER];

/**
 * The same points in fewer jobs: one of a repo-manager's, a coder's and a reviewer's share a job where none asks for anything else. A job
 * that survives all three has survived each.
 */
export function sharingJobs(points: readonly CrashPoint[]): readonly CrashPoint[] {
  const plain = (role: Role): CrashPoint[] => points.filter((point) => point.role === role && isPlain(point));
  const coders = plain('coder');
  const reviewers = plain('reviewer');
  const shared = plain('repo-manager').map((point) => {
    const also = [coders.shift(), reviewers.shift()].filter((other) => other !== undefined);
    return also.length === 0 ? point : { ...point, also };
  });
  return [...shared, ...coders, ...reviewers, ...points.filter((point) => !isPlain(point))];
}

/** Another attempt at a task would change which of a call's times is which. */
function isPlain({ given, rounds, nth }: CrashPoint): boolean {
  return given === undefined && rounds === undefined && nth === undefined;
}

export function nameOf({ role, call, at, nth, rounds, given }: CrashPoint): string {
  const which = nth === undefined ? '' : ` no. ${String(nth)}`;
  return `${role}: ${at} ${call}${which}${rounds ? ` in ${String(rounds)} rounds` : ''}${given ? ` (${given})` : ''}`;
}

function each(role: Role, moments: readonly Moment[], calls: readonly string[], more: Partial<CrashPoint> = {}): CrashPoint[] {
  return calls.flatMap((call) => moments.map((at) => ({ role, call, at, ...more })));
}

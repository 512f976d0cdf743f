import { decide } from '../../../../src/shared/domain/decide.ts';
import type { Effect, EffectOutcome } from '../../../../src/shared/domain/effect.ts';
import type { AttemptRef, JobInput } from '../../../../src/shared/domain/input.ts';
import { isTerminal, type Job } from '../../../../src/shared/domain/job.ts';
import type { Decision } from '../../../../src/shared/domain/review.ts';
import { createWatch, type Decide } from './invariants.ts';
import { changeRequestOf, commit, request, SETTINGS } from './stories.ts';

/**
 * What may happen next in the model world. Each move says which of the things at hand it is about by a number (`pick`,
 * taken modulo how many there are), so that every sequence of moves means something and shrinks well.
 */
export type Move =
  | { readonly type: 'carryOut'; readonly pick: number; readonly recorded: boolean }
  /** The repo-manager dies after having carried out the first effects; nothing of it is recorded. */
  | { readonly type: 'crash'; readonly count: number; readonly pick: number }
  | { readonly type: 'takeTask'; readonly pick: number }
  | { readonly type: 'finishTask'; readonly pick: number; readonly ending: TaskEnding }
  | { readonly type: 'deliver'; readonly pick: number }
  | { readonly type: 'deliverAgain'; readonly pick: number }
  | { readonly type: 'command'; readonly command: PersonCommand; readonly late: boolean }
  | { readonly type: 'sweep'; readonly taskMessage: 'present' | 'absent' | 'unknown' }
  | { readonly type: 'wait'; readonly ms: number }
  /** The agent that has the task dies, and says so when it starts again. */
  | { readonly type: 'interrupt' }
  /** For once the next thing that ought to happen does. */
  | { readonly type: 'behave'; readonly times: number };
export type TaskEnding = 'done' | Decision | 'abandoned' | 'failed' | 'failedWithWork' | 'otherHead';
export type PersonCommand = 'stop' | 'approve' | 'approveOther' | 'reject' | 'retry';

/** How a job of the world is set up. */
export interface Setting {
  readonly merge: 'auto' | 'manual';
  readonly maxRounds: number;
  readonly maxCostUsd: number | undefined;
}

interface Message {
  readonly taskId: string;
  readonly role: 'coder' | 'reviewer';
  readonly round: number;
  readonly dispatch: number;
  readonly attemptsBefore: number;
  readonly headCommit: string;
}

interface Run extends AttemptRef {
  readonly message: Message;
}

/** A person's or a faulty world's refusals: effects that may turn out to be impossible. */
const REFUSABLE: readonly Effect['type'][] = ['PrepareRepository', 'SendTask', 'AcceptWork', 'ProposeChange', 'PostReview', 'MergeChange'];
const STEPS_TO_COMPLETION = 60;
const COST_USD = 0.3;

/**
 * One job in a world where messages come late, twice and in any order, agents pause, die and hand in what nobody waits for,
 * effects are carried out again after a crash, and people give commands at any time.
 */
export function createWorld(setting: Setting, decideJob: Decide = decide) {
  const { maxCostUsd, ...rest } = setting;
  const feature = request({ workflow: { ...rest, ...(maxCostUsd === undefined ? {} : { maxCostUsd }) } });
  const submission: JobInput = { type: 'FeatureRequested', request: feature, at: feature.submittedAt };
  const watch = createWatch(decideJob);
  const state = {
    job: watch.first(submission),
    now: feature.submittedAt,
    commits: 10,
    commands: 0,
    merged: undefined as string | undefined,
    queue: [] as Message[],
    runs: [] as Run[],
    claims: new Map<string, { dispatch: number; attempt: number }>(),
    inFlight: [submission] as JobInput[],
    delivered: [] as JobInput[],
  };

  const give = (input: JobInput): void => {
    state.job = watch.step(state.job, input);
  };
  const newCommit = (): string => commit((state.commits += 1));

  /** Does to the world what the effect asks for; what it finds there already is looked up, not done twice. */
  function carryOut(effect: Effect, pick: number): EffectOutcome | undefined {
    if (pick % 7 === 6 && REFUSABLE.includes(effect.type) && !(effect.type === 'MergeChange' && state.merged === effect.headCommit)) {
      const code = effect.type === 'AcceptWork' && pick % 2 === 0 ? 'bundle_missing' : 'forge_refused';
      return { type: 'Refused', error: { code, message: 'No.', retryable: true } };
    }
    switch (effect.type) {
      case 'PrepareRepository':
        return {
          type: 'RepositoryPrepared',
          host: 'box',
          base: 'main',
          baseCommit: commit(1),
          settings: { setup: [], checks: [], timeoutMs: 1_000, env: [] },
        };
      case 'SendTask':
        state.queue.push({ ...effect, headCommit: state.job.headCommit ?? commit(1) });
        return { type: 'TaskSent', streamSeq: state.queue.length };
      case 'AcceptWork':
        return { type: 'WorkAccepted', headCommit: effect.headCommit, commits: [], filesChanged: [] };
      case 'ProposeChange':
        return { type: 'ChangeProposed', changeRequest: changeRequestOf(state.job, effect.headCommit) };
      case 'MergeChange':
        return merge(effect.headCommit, pick);
      case 'RevokeTask':
      case 'PostReview':
      case 'PublishEvent':
      case 'CloseJob':
        return { type: 'Done' };
    }
  }

  function merge(headCommit: string, pick: number): EffectOutcome | undefined {
    if (state.merged !== headCommit) {
      const baseCommit = newCommit();
      const hindrances: readonly (EffectOutcome | undefined)[] = [
        undefined,
        { type: 'MergeConflicted', baseCommit, settings: SETTINGS, paths: ['a.ts'] },
        { type: 'MergeCheckFailed', baseCommit, settings: SETTINGS, checks: [] },
        { type: 'TreeDirty', location: '/srv/app', paths: ['b.ts'] },
        { type: 'HeadMoved', headCommit: newCommit() },
      ];
      const hindrance = hindrances[pick % 7];
      if (hindrance) return hindrance;
      watch.merging(state.job, headCommit);
      state.merged = headCommit;
    }
    return { type: 'Merged', mergeCommit: commit(9_999), baseCommit: commit(1), checks: [] };
  }

  function record(id: number, outcome: EffectOutcome | undefined): void {
    if (outcome) give({ type: 'EffectFinished', effectId: id, outcome, at: state.now });
  }

  function take(message: Message): Run {
    const known = state.claims.get(message.taskId);
    const before = known?.dispatch === message.dispatch ? known.attempt : Math.max(known?.attempt ?? 0, message.attemptsBefore);
    const run = { taskId: message.taskId, dispatch: message.dispatch, attempt: before + 1, message };
    if (known === undefined || message.dispatch >= known.dispatch) state.claims.set(message.taskId, run);
    state.runs.push(run);
    const agentId = message.role === 'coder' ? 'coder-1' : 'reviewer-1';
    state.inFlight.push({ type: 'TaskStarted', ...refOf(run), agentId, at: state.now });
    return run;
  }

  function finish(run: Run, ending: TaskEnding): JobInput {
    const { message } = run;
    const usage = { inputTokens: 1, outputTokens: 1, costUsd: COST_USD };
    const headCommit = newCommit();
    const bundle = { name: `app/${run.taskId}.${String(run.attempt)}.out`, sha256: 'a'.repeat(64), sizeBytes: 1, tip: headCommit };
    const work = { bundle, startCommit: message.headCommit, headCommit };
    const common = { ...refOf(run), usage, at: state.now };
    if (ending === 'abandoned' || ending === 'failed' || ending === 'failedWithWork') {
      const error = { code: ending === 'abandoned' ? 'abandoned' : 'runner_failed', message: 'It failed.', retryable: true };
      return { type: 'TaskFailed', ...common, error, ...(ending === 'failedWithWork' ? { work } : {}) };
    }
    if (message.role === 'coder') {
      return { type: 'ImplementationFinished', ...common, ...work, summary: 'Done.', commits: [], filesChanged: [], checks: [] };
    }
    const decision = ending === 'done' || ending === 'otherHead' ? 'APPROVE' : ending;
    const judged = ending === 'otherHead' ? headCommit : message.headCommit;
    const review = { round: message.round, decision, headCommit: judged, summary: 'Looked.', comments: [] };
    return { type: 'ReviewFinished', ...common, review };
  }

  function commandOf(command: PersonCommand): JobInput {
    const seq = (state.commands += 1);
    const common = { commandId: `command-${String(seq)}`, seq, at: state.now };
    switch (command) {
      case 'stop':
        return { type: 'StopRequested', ...common };
      case 'retry':
        return { type: 'RetryRequested', ...common };
      case 'reject':
        return { type: 'RejectRequested', ...common, comment: 'Not so.' };
      case 'approve':
        return { type: 'ApproveRequested', ...common, headCommit: state.job.headCommit };
      case 'approveOther':
        return { type: 'ApproveRequested', ...common, headCommit: commit(7) };
    }
  }

  function deliver(input: JobInput): void {
    state.inFlight = state.inFlight.filter((other) => other !== input);
    state.delivered.push(input);
    give(input);
  }

  function move(what: Move): void {
    state.now += 1;
    switch (what.type) {
      case 'carryOut': {
        const [first] = state.job.pending;
        // Nothing to do: that is when the sweep has something to find.
        if (!first) return give({ type: 'Swept', taskMessage: 'unknown', at: state.now });
        const outcome = carryOut(first.effect, what.pick);
        if (what.recorded) record(first.id, outcome);
        return;
      }
      case 'crash':
        for (const { effect } of state.job.pending.slice(0, what.count)) carryOut(effect, what.pick);
        return;
      case 'takeTask': {
        const message = at(state.queue, what.pick);
        if (message) take(message);
        return;
      }
      case 'finishTask': {
        const run = at(state.runs, what.pick);
        if (run) state.inFlight.push(finish(run, what.ending));
        return;
      }
      case 'deliver': {
        const input = at(state.inFlight, what.pick);
        if (input) deliver(input);
        return;
      }
      case 'deliverAgain': {
        const input = at(state.delivered, what.pick);
        if (input) give(input);
        return;
      }
      case 'command':
        if (what.late) state.inFlight.push(commandOf(what.command));
        else deliver(commandOf(what.command));
        return;
      case 'sweep':
        give({ type: 'Swept', taskMessage: what.taskMessage, at: state.now });
        return;
      case 'wait':
        state.now += what.ms;
        return;
      case 'behave':
        for (let time = 0; time < what.times; time++) behave();
        return;
      case 'interrupt': {
        const run = state.runs.at(-1);
        if (run) deliver(finish(run, 'abandoned'));
      }
    }
  }

  /** One step of a world in which nothing goes wrong any more. @returns false when there was nothing left to do */
  function behave(): boolean {
    state.now += 60_000;
    const [first] = state.job.pending;
    if (first) {
      record(first.id, carryOut(first.effect, 0));
      return true;
    }
    const { task, needs } = state.job;
    if (task) {
      const message = state.queue.find(({ taskId, dispatch }) => taskId === task.id && dispatch === task.dispatch);
      if (message) deliver(finish(take(message), 'done'));
      else give({ type: 'Swept', taskMessage: 'absent', at: state.now });
      return true;
    }
    if (needs?.kind === 'dirty_tree') give({ type: 'Swept', taskMessage: 'unknown', at: state.now });
    else if (needs) give(commandOf('approve'));
    return needs !== undefined;
  }

  return {
    /** The job as it stands. */
    get job(): Job {
      return state.job;
    },
    move,
    /**
     * From here on everything succeeds and a person approves what waits, and once retries what has ended.
     * @throws Error when the job then neither ends nor is at rest for a reason, within a bounded number of steps
     */
    run(): void {
      for (let step = 0; step < STEPS_TO_COMPLETION; step++) {
        if (isTerminal(state.job.status) && state.job.pending.length === 0) return;
        if (!behave()) throw new Error('the job waits for nothing');
      }
      throw new Error(`not at its end after ${String(STEPS_TO_COMPLETION)} good steps`);
    },
    retry(): void {
      give(commandOf('retry'));
    },
  };
}

function refOf({ taskId, dispatch, attempt }: AttemptRef): AttemptRef {
  return { taskId, dispatch, attempt };
}

function at<T>(items: readonly T[], pick: number): T | undefined {
  return items[pick % Math.max(1, items.length)];
}

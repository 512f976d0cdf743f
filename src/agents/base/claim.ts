import type { TaskId } from '../../shared/domain/ids.ts';
import type { BundleRef } from '../../shared/domain/bundle.ts';
import type { Claim } from '../../shared/messages/agent.ts';
import { versioned } from '../../shared/messages/envelope.ts';
import type { TaskMessage } from '../../shared/messages/task.ts';
import type { Bucket, Entry } from '../../shared/messaging/bucket.ts';

export interface ClaimHolder {
  readonly agentId: string;
  readonly incarnation: string;
}

/** A task that is ours, until somebody raises the claim or removes it. */
export interface HeldClaim {
  readonly claim: Claim;
  /** Whether the claim is still as we left it: to be asked before every effect. */
  isStillOurs(): Promise<boolean>;
  /** Who has it now: we, nobody, a later dispatch, or a later attempt at the same message. */
  heldBy(): Promise<'us' | 'nobody' | 'later_dispatch' | 'later_attempt'>;
  /** Leaves behind what there is of the work, for the next attempt. @returns false when the claim was not ours any more */
  handBack(wip: BundleRef | undefined): Promise<boolean>;
  /** Notes that the result is stored. @returns false when the claim was not ours any more */
  markReported(): Promise<boolean>;
}

/**
 * Takes up a task: the attempt number rises by compare-and-set, which fences every earlier attempt.
 *
 * @param read the claim as it was read a moment ago, null: there was none. Default: it is read
 * @returns null for a message that is a copy of, or older than, what somebody took up already, or whose result is stored: it is to be
 *   acked and dropped
 */
export async function claimTask(
  claims: Bucket<Claim>,
  message: TaskMessage,
  streamSeq: number,
  holder: ClaimHolder,
  read?: Entry<Claim> | null,
): Promise<HeldClaim | null> {
  for (let known = read === undefined ? await claims.get(message.taskId) : read; ; known = await claims.get(message.taskId)) {
    if (known && !mayRaise(known.value, message, streamSeq)) return null;
    const claim = raisedClaim(known?.value, message, streamSeq, holder);
    const revision = known ? await claims.update(message.taskId, claim, known.revision) : await claims.create(message.taskId, claim);
    if (revision !== null) return held(claims, claim, revision);
  }
}

function mayRaise(known: Claim, message: TaskMessage, streamSeq: number): boolean {
  if (message.dispatch > known.dispatch) return true;
  return message.dispatch === known.dispatch && streamSeq === known.streamSeq && known.reported !== true;
}

function raisedClaim(known: Claim | undefined, message: TaskMessage, streamSeq: number, holder: ClaimHolder): Claim {
  const same = known?.dispatch === message.dispatch ? known : undefined;
  return versioned({
    taskId: message.taskId,
    dispatch: message.dispatch,
    streamSeq,
    attempt: Math.max(known?.attempt ?? 0, message.attemptsBefore) + 1,
    ...holder,
    handBacks: same?.handBacks ?? 0,
    handedBack: false,
    // A bundle of an earlier dispatch has another key.
    ...(same?.wip ? { wip: same.wip } : {}),
  });
}

function held(claims: Bucket<Claim>, claim: Claim, firstRevision: number): HeldClaim {
  const taskId: TaskId = claim.taskId;
  let revision = firstRevision;
  const change = async (left: Claim): Promise<boolean> => {
    const next = await claims.update(taskId, left, revision);
    if (next === null) return false;
    revision = next;
    return true;
  };
  // A killed server that lost our claim gives its revision to the next one.
  const isOurs = (now: Entry<Claim> | null): boolean =>
    now?.revision === revision && now.value.agentId === claim.agentId && now.value.incarnation === claim.incarnation;
  return {
    claim,
    isStillOurs: async () => isOurs(await claims.get(taskId)),
    heldBy: async () => {
      const now = await claims.get(taskId);
      if (!now) return 'nobody';
      if (isOurs(now)) return 'us';
      return now.value.dispatch > claim.dispatch ? 'later_dispatch' : 'later_attempt';
    },
    handBack: (wip) => change({ ...claim, handBacks: claim.handBacks + 1, handedBack: true, ...(wip ? { wip } : {}) }),
    markReported: () => change({ ...claim, reported: true }),
  };
}

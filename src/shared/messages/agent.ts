import { z } from 'zod';
import { BundleRef } from '../domain/bundle.ts';
import { AgentId, AgentRole, Instant, TaskId } from '../domain/ids.ts';
import { envelope } from './envelope.ts';

/** An agent's sign of life: the value of `agents/<agentId>`, rewritten every second. */
export const Heartbeat = z.strictObject({
  ...envelope,
  agentId: AgentId,
  role: AgentRole,
  /** `<home>/<random>`, made anew with each start. */
  incarnation: z.string().min(1),
  /** The operating system's, on `host`. */
  pid: z.number().int().positive(),
  host: z.string(),
  state: z.enum(['starting', 'idle', 'busy', 'draining']),
  task: TaskId.optional(),
  counters: z.strictObject({ tasksProcessed: z.number().int(), tasksFailed: z.number().int() }),
  rssBytes: z.number().int().nonnegative(),
  version: z.string(),
  runner: z.string().optional(),
  startedAt: Instant,
  /** The beat's own number: an observer compares it, not clocks. */
  beat: z.number().int().nonnegative(),
});
export type Heartbeat = z.infer<typeof Heartbeat>;

/**
 * Who has a task: the value of `claims/<taskId>`, changed by compare-and-set only. It is raised only by a higher dispatch
 * or by a redelivery of the same message; a holder whose claim is gone, or is another's, ends what it does.
 */
export const Claim = z.strictObject({
  ...envelope,
  taskId: TaskId,
  dispatch: z.number().int().positive(),
  /** The sequence of the task's message: another message of the same dispatch is a copy. */
  streamSeq: z.number().int().positive(),
  attempt: z.number().int().positive(),
  agentId: AgentId,
  incarnation: z.string(),
  /** How often the task was handed back unharmed (a daemon stopped): such deliveries are no failures. */
  handBacks: z.number().int().nonnegative(),
  /** Nobody has it in hand at the moment: its message is on its way to the next attempt. */
  handedBack: z.boolean(),
  /** Its result is stored: whoever is given the message again only has to acknowledge it. */
  reported: z.boolean().optional(),
  /** What an attempt that handed the task back had done so far. */
  wip: BundleRef.optional(),
});
export type Claim = z.infer<typeof Claim>;

/** Who may merge into a base: the value of `locks/<repoKey>.<base>`. */
export const Lock = z.strictObject({ ...envelope, holder: z.string(), incarnation: z.string(), renewal: z.number().int().nonnegative() });
export type Lock = z.infer<typeof Lock>;

/** A message nobody could handle, with the reason. */
export const DeadLetter = z.strictObject({
  ...envelope,
  at: Instant,
  stream: z.string(),
  subject: z.string(),
  streamSeq: z.number().int().positive(),
  deliveries: z.number().int().positive(),
  reason: z.strictObject({ code: z.string(), message: z.string() }),
  /** The payload as it came, base64. */
  payload: z.base64(),
  /** It was too long to be kept whole: `payload` is its beginning. */
  cut: z.boolean().optional(),
});
export type DeadLetter = z.infer<typeof DeadLetter>;

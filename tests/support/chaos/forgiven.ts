/**
 * Failures that a job may end in because of what is done to the system, although its runners do well. The job says so, keeps
 * its work, and a person has it tried again: that is what the product promises, and what the harness does. Anything else that a
 * good job fails with is a fault.
 * - `dispatch_limit`: each kill of an agent costs a dispatch, and there are five.
 * - `unexpected`: a message came five times, and each time its agent was harmed.
 * - `conflict_limit`: ten others were merged first.
 */
export const FORGIVEN: readonly string[] = ['dispatch_limit', 'unexpected', 'conflict_limit'];

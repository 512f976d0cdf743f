import { commands } from './commands.mjs';
import { growth } from './growth.mjs';
import { memory } from './memory.mjs';
import { orchestration } from './orchestration.mjs';
import { recovery } from './recovery.mjs';
import { runnerStart } from './runner-start.mjs';
import { secondWorkspace } from './second-workspace.mjs';
import { wholeJob } from './whole-job.mjs';

/**
 * All of them, in the order of the page. Another one is another file with `{ id, title, how, run({ quick, say }) }` and a line here: `run` gives
 * `[{ id, title, figure, unit, goal, met, detail? }]`, or throws `Skipped` where it can't be run.
 */
export const benchmarks = [wholeJob, orchestration, secondWorkspace, runnerStart, recovery, commands, memory, growth];

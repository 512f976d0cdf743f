/**
 * The order in which jest starts the files of a ring: the long ones first, so that no worker is left alone with one at the end, then jest's own.
 * A clean clone has no times of an earlier run for jest to go by.
 */
import { join } from 'node:path';
import Sequencer from '@jest/test-sequencer';

/** Those that take longest on a free machine, the longest first. One that is missing here costs time and nothing else. */
const LONGEST = [
  'tests/crash/points.test.ts',
  'tests/crash/paused.test.ts',
  'tests/e2e/shared-system.test.ts',
  'tests/integration/pm2/up.test.ts',
  'tests/integration/agents/recovery.test.ts',
  'tests/integration/demo/demo.test.ts',
  'tests/simulation/decide.property.test.ts',
  'tests/simulation/simulation.test.ts',
  'tests/integration/permissions/whole-system.test.ts',
  'tests/integration/git/local-forge.test.ts',
  'tests/contract/forge/local-forge.test.ts',
];

export default class LongestFirst extends Sequencer {
  async sort(tests) {
    const others = await super.sort(tests);
    const long = LONGEST.flatMap((name) => others.filter(({ path, context }) => path === join(context.config.rootDir, name)));
    return [...long, ...others.filter((test) => !long.includes(test))];
  }
}

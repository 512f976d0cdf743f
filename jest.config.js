/**
 * Ten rings (CONTRIBUTING.md), one jest project each: `jest --selectProjects unit`, or just a path.
 * `scripts/test.mjs` runs them all and knows which of them may run side by side.
 */

const SECOND_MS = 1000;

/** Longest time of one test. A ring that starts real servers and daemons shares two slow cores with them. */
const RINGS = {
  unit: 20 * SECOND_MS,
  contract: 60 * SECOND_MS,
  integration: 60 * SECOND_MS,
  simulation: 240 * SECOND_MS,
  fuzz: 240 * SECOND_MS,
  e2e: 180 * SECOND_MS,
  crash: 240 * SECOND_MS,
  cluster: 240 * SECOND_MS,
  clis: 120 * SECOND_MS,
  chaos: 300 * SECOND_MS,
};

/** swc takes types away and sees no type error: `tsc` is a gate of its own in `npm run check`. */
const swc = {
  swcrc: false,
  sourceMaps: 'inline',
  module: { type: 'es6' },
  jsc: {
    target: 'es2022',
    parser: { syntax: 'typescript' },
    transform: { verbatimModuleSyntax: true },
  },
};

const project = ([ring, testTimeout]) => ({
  displayName: ring,
  testMatch: [`<rootDir>/tests/${ring}/**/*.test.ts`],
  testTimeout,
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '^.+\\.ts$': ['@swc/jest', swc] },
  roots: ['<rootDir>/src', '<rootDir>/tests'],
});

export default {
  projects: Object.entries(RINGS).map(project),
  // jest takes no limit from a project: this one holds where a ring is run without scripts/test.mjs, which gives its own.
  testTimeout: RINGS.integration,
  watchman: false,
  testSequencer: './scripts/longest-first.mjs',
  // What a file loaded stays in its worker, and each later one takes longer for it: to start measuring coverage, and to start processes.
  workerIdleMemoryLimit: '150MB',
  coverageProvider: 'v8',
  coverageDirectory: 'coverage',
  coverageReporters: ['text-summary', 'lcovonly', 'json-summary'],
  collectCoverageFrom: [
    'src/shared/**/*.ts',
    'src/agents/**/*.ts',
    // Reads the environment, wires, sets the exit code: it only ever runs as a process of its own (e2e and crash rings), where the coverage
    // of this process sees nothing.
    '!src/agents/*/main.ts',
    '!src/agents/base/daemon.ts',
    '!src/agents/base/task-agent.ts',
    // Types only: there is nothing to run.
    '!src/agents/base/task-worker.ts',
  ],
  coverageThreshold: {
    './src/shared/': { lines: 90 },
    './src/agents/': { lines: 90 },
  },
};

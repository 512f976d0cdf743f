/**
 * The rings of tests, in the order they run: the quick ones first. Those of one group share a jest process and one measure of coverage;
 * a later group starts when the earlier one has ended, for what starts daemons and kills them needs the machine to itself.
 */
export const GROUPS = [
  { name: 'unit, contract, integration', rings: ['unit', 'contract', 'integration'], maxWorkers: 3, coverage: true },
  // The same lines thousands of times: measuring them takes longer than running them, and says nothing that the rings before do not.
  { name: 'simulation, fuzz', rings: ['simulation', 'fuzz'], maxWorkers: 3, coverage: false },
  // Most scenarios share one running system; beside it run the files that kill daemons, each with a system of its own.
  { name: 'e2e', rings: ['e2e'], maxWorkers: 3, coverage: false },
  // Each file has a system of its own and mostly waits for it.
  { name: 'crash', rings: ['crash'], maxWorkers: 3, coverage: false },
  // Everything at once happens to a system of a dozen daemons, for a minute: it needs the machine to itself.
  { name: 'chaos', rings: ['chaos'], maxWorkers: 1, coverage: false },
  // Three servers and all daemons in each file: minutes, and times are measured. Only where it is named.
  { name: 'cluster', rings: ['cluster'], maxWorkers: 1, coverage: false, onlyNamed: true },
  // The real coding CLIs, hundreds of megabytes of them (`npm run install:clis`). Only where it is named.
  { name: 'clis', rings: ['clis'], maxWorkers: 1, coverage: false, onlyNamed: true },
];

const RING_PATH = /(?:^|\/)tests\/(unit|contract|integration|simulation|fuzz|e2e|crash|cluster|clis|chaos)(?:\/|$)/;

/**
 * What to run for the arguments of `npm test -- ...`: the groups, reduced to the rings whose paths are named (when none is, all but the long ones),
 * and whether that is everything, so that coverage and "every ring has tests" can be asked for.
 */
export function plan(args) {
  const named = new Set(args.map((arg) => RING_PATH.exec(arg)?.[1]).filter((ring) => ring !== undefined));
  const rest = args.filter((arg) => arg !== '--coverage');
  const isWhole = rest.length === 0;
  const isWanted = (group, ring) => (named.size === 0 ? group.onlyNamed !== true : named.has(ring));
  const groups = GROUPS.map((group) => ({ ...group, rings: group.rings.filter((ring) => isWanted(group, ring)) }));
  return {
    isWhole,
    onlyCoverage: args.includes('--coverage') && isWhole,
    args: rest,
    groups: groups.filter((group) => group.rings.length > 0),
  };
}

import type { Bait } from './bait.ts';
import { type HostileRepository, WORK } from './hostile-repository.ts';

/** Each passes only where it gets nothing. */
export function thefts({ secretFile, privateRepository, canaries, port }: Bait): string[] {
  return [
    `! cat ${secretFile}`,
    `! git -C ${privateRepository} log`,
    `! touch ${canaries}/thief`,
    `! (exec 3<>/dev/tcp/127.0.0.1/${String(port)})`,
  ];
}

function thief(bait: Bait): string {
  // A pattern that does not match itself: npm has its script among its variables.
  const ours = ['[ -z "$DEPLOY_KEY" ]', '! ls ../../../run', '! grep -qsa MULTI_AGENT_NAT[S] /proc/[0-9]*/environ'];
  return [...thefts(bait), ...ours].join(' && ');
}

/** What is run: checks of the base branch, with code of the change. */
export const HOSTILE_CHECKS: readonly HostileRepository[] = [
  {
    name: 'a change that asks for other checks',
    settings: () => ({ checks: ['test -e work.txt'] }),
    change: ({ canaries }) =>
      `${WORK}; echo '{"checks":["touch ${canaries}/asked","false"],"setup":["false"],"env":["DEPLOY_KEY"]}' > .multi-agent.json`,
    ends: 'COMPLETED',
  },
  {
    name: 'a change that takes a check for itself',
    files: () => ({ 'check.sh': 'exit 0\n' }),
    settings: () => ({ checks: ['bash check.sh'] }),
    change: (bait) => `${WORK}; printf '%s\\n' '${thief(bait)}' > check.sh`,
    ends: 'COMPLETED',
  },
  {
    name: 'a script of a package that steals',
    files: (bait) => ({ 'package.json': JSON.stringify({ scripts: { test: `bash -c '${thief(bait)}'` } }) }),
    settings: () => ({ checks: ['npm test'] }),
    change: () => WORK,
    ends: 'COMPLETED',
  },
  {
    name: 'a setup that plants hooks',
    settings: ({ canaries }) => ({
      setup: [
        [
          'bash',
          '-c',
          `mkdir -p .git/hooks; printf '#!/bin/sh\\ntouch ${canaries}/setup' > .git/hooks/pre-commit; chmod +x .git/hooks/pre-commit`,
        ],
      ],
    }),
    change: () => WORK,
    ends: 'COMPLETED',
  },
  {
    name: 'a check that leaves a daemon',
    settings: ({ canaries }) => ({
      checks: [['bash', '-c', `(setsid env -i bash -c 'sleep 1; touch ${canaries}/daemon' >/dev/null 2>&1 &); exit 0`]],
    }),
    change: () => WORK,
    ends: 'COMPLETED',
  },
  {
    name: 'a runner that goes on after its end',
    change: () => `${WORK}; (setsid env -i /bin/bash -c 'sleep 0.7; while :; do echo late > late.txt; sleep 0.01; done' >/dev/null 2>&1 &)
      (setsid bash -c 'sleep 0.7; while :; do echo late > late.txt; sleep 0.01; done' >/dev/null 2>&1 &)`,
    ends: 'COMPLETED',
  },
  {
    name: 'a check that fills the temporary folder',
    settings: () => ({ checks: [['bash', '-c', 'for n in 1 2 3 4 5 6 7 8; do head -c 16M /dev/zero > /tmp/$n || exit 1; done']] }),
    change: () => WORK,
    ends: 'checks_failed',
  },
];

/** Run alone: whoever else runs as the same user has the same share. */
export const BOMB: HostileRepository = {
  name: 'a check that starts more and more processes',
  settings: () => ({
    checks: [['perl', '-e', 'while (1) { my $pid = fork; exit 1 unless defined $pid; if ($pid == 0) { sleep 60; exit } }']],
  }),
  change: () => WORK,
  ends: 'checks_failed',
};

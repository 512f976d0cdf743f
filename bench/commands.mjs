import { join } from 'node:path';
import { MULTI_AGENT, PROGRAMS, temporaryFolder } from './harness/folders.mjs';
import { interleaved, median, pairedRatio, rounded } from './harness/measure.mjs';
import { run } from './harness/processes.mjs';
import { smallRepository } from './harness/repositories.mjs';
import { withScope } from './harness/scope.mjs';
import { startSystem } from './harness/system.mjs';

/** (f) What a command takes, beside what Node and a connection take. */
export const commands = {
  id: 'f',
  title: 'Commands of the CLI against bare node + connect + request',
  how: '`bench/programs/bare.mjs` connects, asks the server one thing and ends. Each command with `--json`, as a process of its own, in turn with it. (`status` watches heartbeats for a second by design and is not among them.)',
  run: ({ quick }) => withScope((onEnd) => measure(onEnd, quick ? 21 : 60)),
};

async function measure(onEnd, rounds) {
  const folder = await temporaryFolder(onEnd);
  const repository = await smallRepository(join(folder, 'repository'));
  const system = await startSystem(onEnd, { coder: join(PROGRAMS, 'coder.sh'), reviewer: join(PROGRAMS, 'reviewer.sh') });
  const { id } = await system.runJob(repository);
  const options = { env: system.env };
  const command =
    (...args) =>
    () =>
      void run(process.execPath, [MULTI_AGENT, ...args, '--json'], options);
  const submit = ['submit-feature', '--repo', repository, '--title', 'One', '--description', 'Do it.', '--key', 'same'];
  const ways = {
    bare: () => void run(process.execPath, [join(PROGRAMS, 'bare.mjs')], options),
    'job-status': command('job-status', id),
    'list-jobs': command('list-jobs'),
    show: command('show', id),
    logs: command('logs', id),
    'submit-feature': command(...submit),
  };
  ways['submit-feature']();
  const times = await interleaved(rounds, ways, { warmUps: 2 });
  const bare = median(times.bare);
  return Object.keys(ways)
    .filter((name) => name !== 'bare')
    .map((name) => ({ name, figure: pairedRatio(times[name], times.bare) }))
    .map(({ name, figure }) => ({
      id: `f.${name}`,
      title: `\`multi-agent ${name}\` against bare node + connect + request`,
      figure: rounded(figure),
      unit: '×',
      goal: '≤ 1.6',
      met: figure <= 1.6,
      detail: { commandMs: rounded(median(times[name]), 0), bareMs: rounded(bare, 0) },
    }));
}

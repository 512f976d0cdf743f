/**
 * `npm run demo`: a whole job, shown. Sets up what is missing, starts a system of its own, submits a feature to a sample repository, shows it
 * being implemented, reviewed, corrected and merged, and takes everything down again. The thinking is a recording.
 *
 * `--dir <folder>`: where to play, instead of `.multi-agent-demo` in this folder. Honours NATS_PORT, else takes a free port.
 * Exit 0: merged, 1: not merged or something unexpected, 2: bad usage, 3: nats-server or the network can't be had, 130: interrupted.
 */
import { writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';

import { bootstrapOrExit } from './bootstrap.mjs';
import { ensureBubblewrap } from './bubblewrap.mjs';
import { closePlayground, freePort, openPlayground, processesOf } from './demo/playground.mjs';
import { FEATURE, RECORDING, SAMPLE_FILES } from './demo/story.mjs';
import { createStage, Ended, tool } from './demo/stage.mjs';
import { git, makeRepository } from './demo/sample-repository.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const startedAt = Date.now();
const base = resolve(baseFromArguments());
await bootstrapOrExit();
const stage = createStage();
const playground = await openPlayground(base);
const cli = tool(join(root, 'dist', 'cli', 'main.js'), playground.environment);
process.exitCode = await play();

async function play() {
  let code = 1;
  try {
    await perform();
    code = 0;
  } catch (error) {
    code = error instanceof Ended ? error.exitCode : 1;
    if (!stage.interrupted()) stage.fault(error instanceof Ended ? error.message : (error?.stack ?? String(error)));
  }
  if (stage.interrupted()) stage.say('Interrupted.');
  const clean = await takeDown();
  const path = relative(process.cwd(), playground.repository) || playground.repository;
  stage.say(`The sample repository stays until the next run: ${path.startsWith('../..') ? playground.repository : path}`);
  if (stage.interrupted()) return 130;
  if (code === 0) stage.say(`Everything took ${seconds()}.`);
  return code === 0 && !clean ? 1 : code;
}

async function perform() {
  stage.title('A feature request goes in, a merged change comes out.');
  stage.say('What you see is the system as it is: NATS, the daemons under PM2, git, the checks. Only the thinking is a recording:');
  stage.say('coder and reviewer play back what they are to do, and NO MODEL IS ASKED. It needs no key and no account.');
  await startSystem();
  const job = await runJob();
  await showResult(job);
}

async function startSystem() {
  stage.title('1. A sample repository, and the daemons');
  makeRepository(playground.repository, SAMPLE_FILES);
  writeFileSync(playground.recording, RECORDING.map((entry) => `${JSON.stringify(entry)}\n`).join(''));
  // A recording starts no program; the checks of the sample are run in a sandbox where there is one.
  if (!ensureBubblewrap((line) => stage.say(line))) {
    playground.environment.MULTI_AGENT_UNSAFE_NO_SANDBOX = '1';
    stage.say('bubblewrap is not to be had here: the checks of the sample run WITHOUT A SANDBOX. "apt-get install bubblewrap" gives one.');
  }
  const recording = { CODER_RECORDING: playground.recording, REVIEWER_RECORDING: playground.recording };
  Object.assign(playground.environment, recording, { CODER_RUNNER: 'replay', REVIEWER_RUNNER: 'replay' });
  stage.say('slug: a library of one function, with `node --test` as its check');
  await fetchNatsServer();
  await bringUp();
}

/** A free port may be taken by somebody else before our server has it; one that the user named is not changed. */
async function bringUp() {
  const args = ['up', '--coders', '1', '--reviewers', '1'];
  for (let attempt = 1; ; attempt += 1) {
    const code = await stage.run(cli, args);
    if (code === 0) return;
    if (code !== 3 || process.env.NATS_PORT || attempt === 3) throw new Ended(`The daemons did not start (exit ${code}).`, code);
    playground.environment.NATS_PORT = String(await freePort());
  }
}

/** Kept beside the runs, where the next one finds it: each run has a home of its own. */
async function fetchNatsServer() {
  const module = pathToFileURL(join(root, 'dist', 'shared', 'nats-server', 'binary.js'));
  const { findOrFetchNatsServer } = await import(module.href);
  try {
    await findOrFetchNatsServer({ home: playground.cache, log: stage.say });
  } catch (error) {
    throw new Ended(error.message, 3);
  }
}

async function runJob() {
  stage.title('2. The job');
  const acceptance = FEATURE.acceptance.flatMap((text) => ['--acceptance', text]);
  const request = ['--repo', playground.repository, '--title', FEATURE.title, '--description', FEATURE.description, ...acceptance];
  const code = await stage.run(cli, ['submit-feature', ...request, '--wait']);
  if (code !== 0) throw new Ended(`The job was not merged (exit ${code}).`, code);
  return JSON.parse(await stage.read(cli, ['list-jobs', '--json'])).jobs[0];
}

async function showResult(job) {
  stage.title('3. What came of it');
  await stage.run(cli, ['show', job.id]);
  stage.command('git log --graph');
  stage.say(git(playground.repository, 'log', '--graph', '--format=%h %s', ...stage.colour()));
  stage.command('git diff --stat HEAD^ HEAD');
  stage.say(git(playground.repository, 'diff', '--stat', ...stage.colour(), 'HEAD^', 'HEAD'));
  // Not what the system says of itself, but what git says.
  const [head, ...parents] = git(playground.repository, 'rev-list', '--parents', '--max-count=1', 'main').split(' ');
  if (head !== job.changeRequest?.mergeCommit || parents.length !== 2 || git(playground.repository, 'status', '--porcelain') !== '')
    throw new Ended('The job says that it is merged, and the repository does not.', 1);
  stage.title(`Merged: ${head.slice(0, 10)} is on main, after ${job.round} rounds. (Recorded thinking; everything else was real.)`);
}

/** Ends the daemons, their PM2 and whatever else carries this playground's name. Gives whether nothing is left. */
async function takeDown() {
  stage.title('Taking everything down');
  await stage.run(cli, ['down'], { apart: true });
  const pm2 = tool(join(root, 'node_modules', 'pm2', 'bin', 'pm2'), playground.environment);
  await stage.read(pm2, ['kill', '--silent'], { apart: true }).catch(() => undefined);
  await closePlayground(playground.folder);
  const left = processesOf(playground.folder);
  if (left.length > 0) stage.fault(`still running: ${left.join(', ')}`);
  return left.length === 0;
}

function baseFromArguments() {
  try {
    return parseArgs({ options: { dir: { type: 'string' } } }).values.dir ?? join(root, '.multi-agent-demo');
  } catch (error) {
    process.stderr.write(`${error.message}\nusage: npm run demo [-- --dir <folder>]\n`);
    process.exit(2);
  }
}

function seconds() {
  return `${((Date.now() - startedAt) / 1000).toFixed(1)} s`;
}

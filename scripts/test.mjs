/**
 * `npm test`: sets everything up and runs every ring. `npm test -- <jest arguments>` runs a part: a path picks its ring, anything else goes to
 * all of them. `npm run coverage` runs the rings that are measured. The last line is the total: `N passed, N failed` (`, N skipped`).
 */
import { spawn } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

import { bootstrap } from './bootstrap.mjs';
import { ensureBubblewrap } from './bubblewrap.mjs';
import { jestArguments } from './jest-arguments.mjs';
import { endProcessesOf, processesOf } from './processes-of.mjs';
import { plan } from './rings.mjs';
import { temporaryFolder } from './temporary-folder.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const say = (line) => process.stderr.write(`${line}\n`);
const LEFT_AFTER_MS = 10_000;
const work = plan(process.argv.slice(2));
const total = { passed: 0, failed: 0, skipped: 0 };
const faults = [];
const scratch = mkdtempSync(join(temporaryFolder(), 'ma-test-'));
// Some tests have repositories of another user, who has to get there.
chmodSync(scratch, 0o711);
process.once('exit', () => {
  // Whatever a test started has the folder in its environment: one that was interrupted could not end it.
  endProcessesOf(scratch);
  rmSync(scratch, { recursive: true, force: true });
});

try {
  await bootstrap();
  if (!ensureBubblewrap(say)) say('No sandbox can be made here: install bubblewrap. What is tested in one will fail.');
  await runAll();
} catch (error) {
  fault(error?.exitCode === undefined ? (error?.stack ?? error) : error.message);
}
if (total.passed === 0 && total.failed === 0) fault('no test was run');
for (const what of faults) say(`FAILED: ${what}`);
process.stdout.write(`${total.passed} passed, ${total.failed} failed${total.skipped > 0 ? `, ${total.skipped} skipped` : ''}\n`);
process.exitCode = total.failed === 0 ? 0 : 1;

async function runAll() {
  const environment = { ...process.env, NODE_ENV: 'test', TMPDIR: scratch, ...(await natsServerEnvironment()) };
  const groups = work.groups.filter((group) => group.coverage || !work.onlyCoverage);
  for (const group of groups) {
    await runGroup(group, environment);
    for (const { pid, command } of await leftBehind()) fault(`${group.name}: left a process running: ${pid} ${command.slice(0, 200)}`);
  }
}

/** What is still there a while after the last test: some end by themselves when what started them is gone. */
async function leftBehind() {
  for (let waited = 0; waited < LEFT_AFTER_MS && processesOf(scratch).length > 0; waited += 100) await delay(100);
  return endProcessesOf(scratch);
}

/** Counts what is no test of jest's but must fail all the same, so that the total never says less than the exit code. */
function fault(what) {
  faults.push(what);
  total.failed += 1;
}

/** Only the unit ring does without a server. One that is missing is a fault, and the tests that need it will say more. */
async function natsServerEnvironment() {
  if (work.groups.every((group) => group.rings.every((ring) => ring === 'unit'))) return {};
  try {
    const module = pathToFileURL(join(root, 'dist', 'shared', 'nats-server', 'binary.js'));
    const { findOrFetchNatsServer } = await import(module.href);
    // A folder that outlives the run: what had to be fetched is fetched once. It is not the user's own home of the product.
    const found = await findOrFetchNatsServer({ home: join(root, '.multi-agent-test'), log: say });
    say(`nats-server ${found.version} (${found.path})`);
    return { MULTI_AGENT_TEST_NATS_SERVER: found.path };
  } catch (error) {
    fault(`no nats-server: ${error?.message ?? error}`);
    return {};
  }
}

async function runGroup(group, environment) {
  const rings = group.rings.filter(hasTests);
  if (work.isWhole) for (const ring of group.rings) if (!hasTests(ring)) fault(`ring ${ring} is missing: no test in tests/${ring}`);
  if (rings.length === 0) return;
  const report = join(scratch, `${rings.join('-')}.json`);
  const started = Date.now();
  say(`\n== ${rings.join(', ')}`);
  const exit = await runJest(jestFlags(group, rings, report), environment);
  const failedBefore = total.failed;
  count(readReport(report), rings);
  if (exit !== 0 && total.failed === failedBefore)
    fault(`${rings.join(', ')}: jest ended with ${exit} (coverage below its threshold, or jest itself)`);
  say(`== ${rings.join(', ')}: ${((Date.now() - started) / 1000).toFixed(0)} s`);
}

function jestFlags(group, rings, report) {
  const measure = group.coverage && work.isWhole ? ['--coverage'] : [];
  const empty = work.isWhole ? [] : ['--passWithNoTests'];
  const workers = work.args.some((arg) => /^(-w|-i|--maxWorkers|--runInBand)/.test(arg)) ? [] : ['--maxWorkers', String(group.maxWorkers)];
  return ['--selectProjects', ...rings, '--json', '--outputFile', report, ...workers, ...measure, ...empty, ...work.args];
}

function runJest(flags, env) {
  return new Promise((resolve, reject) => {
    // What jest says goes to stderr, so that stdout has nothing but the total.
    const child = spawn(process.execPath, jestArguments(flags), { cwd: root, env, stdio: ['ignore', 2, 2] });
    // Jest ends its workers, and the tests what they started, only when they are told.
    const pass = (signal) => child.kill(signal);
    process.on('SIGTERM', pass).on('SIGINT', pass);
    child.on('error', reject);
    child.on('close', (code, signal) => {
      process.off('SIGTERM', pass).off('SIGINT', pass);
      if (signal !== null) process.exit(130);
      resolve(code);
    });
  });
}

function readReport(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}

function count(report, rings) {
  if (report === undefined) return fault(`${rings.join(', ')}: jest left no report`);
  total.passed += report.numPassedTests;
  // A file that could not be loaded has no failed test in it.
  total.failed += report.numFailedTests + report.numRuntimeErrorTestSuites;
  total.skipped += report.numPendingTests + report.numTodoTests;
  if (work.isWhole)
    for (const ring of rings) if (!report.testResults.some((file) => hasRun(file, ring))) fault(`ring ${ring}: no test was run`);
}

function hasRun(file, ring) {
  const isOfRing = file.name.startsWith(join(root, 'tests', ring) + '/');
  return isOfRing && (file.assertionResults.some(({ status }) => status === 'passed' || status === 'failed') || file.message !== '');
}

function hasTests(ring) {
  try {
    return readdirSync(join(root, 'tests', ring), { recursive: true }).some((name) => String(name).endsWith('.test.ts'));
  } catch {
    return false;
  }
}

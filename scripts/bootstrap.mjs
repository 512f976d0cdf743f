/**
 * Brings a fresh clone to "installed and built", and does next to nothing when it is already there. Needs Node and npm alone.
 *
 *     node scripts/bootstrap.mjs        or        await bootstrap() from another script
 *
 * Progress goes to stderr. Throws `BootstrapError` with the exit code that fits: 1 the build failed or something unexpected, 2 this Node or
 * npm will not do, 3 the package registry can't be reached.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { withLock } from './bootstrap-lock.mjs';

const projectRoot = dirname(dirname(fileURLToPath(import.meta.url)));
const OLDEST_NODE = [20, 19];
const KEPT_OUTPUT_CHARS = 20000;
const NETWORK_FAULT =
  /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ERR_SOCKET_TIMEOUT|FETCH_ERROR|network/;

export class BootstrapError extends Error {
  constructor(message, exitCode = 1) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** Installs what the lockfile says and builds `dist`, each only when needed. Safe to call from several processes at once. */
export async function bootstrap(options = {}) {
  const root = options.root ?? projectRoot;
  const say = options.say ?? ((line) => process.stderr.write(`${line}\n`));
  const build = options.build ?? true;
  checkNode(process.versions.node);
  const isReady = () => isInstalled(root) && (!build || isBuilt(root));
  if (isReady()) return;
  await withLock(join(root, '.multi-agent-bootstrap.lock'), say, async () => {
    if (!isInstalled(root)) await install(root, say);
    if (build && !isBuilt(root)) await compile(root, say);
  });
}

/** Refuses a Node that is too old, with a sentence instead of a syntax error later. */
export function checkNode(version) {
  const [major, minor] = version.split('.').map(Number);
  const [oldestMajor, oldestMinor] = OLDEST_NODE;
  if (major > oldestMajor || (major === oldestMajor && minor >= oldestMinor)) return;
  const needed = OLDEST_NODE.join('.');
  throw new BootstrapError(`multi-agent needs Node ${needed} or newer, and this is ${version}. Install one from https://nodejs.org.`, 2);
}

function isInstalled(root) {
  const wanted = hashOf(root, ['package-lock.json']);
  if (readText(installStamp(root)) === wanted) return true;
  if (!matchesLockfile(root)) return false;
  writeStamp(installStamp(root), wanted);
  return true;
}

/**
 * Whether `node_modules` is what the lockfile says, going by npm's own record of what it installed: it adopts the work of an `npm ci` or
 * `npm install` that somebody else did. npm writes that record last, so an install that was cut short has none.
 */
function matchesLockfile(root) {
  const wanted = readJson(join(root, 'package-lock.json'))?.packages;
  const found = readJson(join(root, 'node_modules', '.package-lock.json'))?.packages;
  if (wanted === undefined || found === undefined) return false;
  const names = Object.keys(wanted).filter((name) => name !== '');
  const isSame = (name) => found[name]?.version === wanted[name].version && found[name]?.integrity === wanted[name].integrity;
  const isPresent = (name) => existsSync(join(root, name, 'package.json'));
  return names.every((name) => (found[name] === undefined ? wanted[name].optional === true : isSame(name) && isPresent(name)));
}

async function install(root, say) {
  const started = Date.now();
  say('Installing dependencies (npm ci) ...');
  // A half-done install must not be taken for a whole one.
  rmSync(installStamp(root), { force: true });
  rmSync(join(root, 'node_modules', '.package-lock.json'), { force: true });
  const [command, ...args] = npmCommand();
  const flags = ['ci', '--include=dev', '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error'];
  const { code, output } = await run(command, [...args, ...flags], root);
  if (code !== 0) throw installFault(code, output);
  writeStamp(installStamp(root), hashOf(root, ['package-lock.json']));
  say(`Dependencies installed in ${seconds(started)}.`);
}

function installFault(code, output) {
  const words = tail(output);
  if (NETWORK_FAULT.test(output)) {
    const advice = 'Check the network and the proxy settings (npm config get registry), then run the same command again.';
    return new BootstrapError(`${words}\nThe package registry can't be reached. ${advice}`, 3);
  }
  return new BootstrapError(`${words}\nnpm ci failed (exit ${code}).`, 1);
}

/** The npm that started this script, else the one on PATH. */
function npmCommand() {
  const started = process.env.npm_execpath;
  return started !== undefined && basename(started) === 'npm-cli.js' && existsSync(started) ? [process.execPath, started] : ['npm'];
}

function isBuilt(root) {
  return existsSync(join(root, 'dist', 'cli', 'main.js')) && readText(buildStamp(root)) === sourceHash(root);
}

async function compile(root, say) {
  const started = Date.now();
  say('Building ...');
  // Taken before the compiler reads: what is edited meanwhile is built by the next call.
  const hash = sourceHash(root);
  rmSync(buildStamp(root), { force: true });
  const { code, output } = await run(process.execPath, [join(root, 'scripts', 'build.mjs')], root);
  if (code !== 0) throw new BootstrapError(`${tail(output)}\nThe build failed (exit ${code}).`, 1);
  writeStamp(buildStamp(root), hash);
  say(`Built in ${seconds(started)}.`);
}

/** What the build depends on: the sources, the compiler's settings, and the compiler (by the lockfile). */
function sourceHash(root) {
  return hashOf(root, [
    'src',
    'tsconfig.json',
    'tsconfig.build.json',
    'package-lock.json',
    join('scripts', 'build.mjs'),
    join('scripts', 'bundle.mjs'),
  ]);
}

/** SHA-256 over the names and contents of files and folders; a missing one counts as such. */
function hashOf(root, names) {
  const hash = createHash('sha256');
  const add = (name) => {
    const path = join(root, name);
    const entries = readEntries(path);
    if (entries !== undefined) for (const entry of entries) add(join(name, entry));
    else
      hash
        .update(`${name}\0`)
        .update(readText(path) ?? '\0missing')
        .update('\0');
  };
  names.forEach(add);
  return hash.digest('hex');
}

function readEntries(path) {
  try {
    return readdirSync(path).sort();
  } catch {
    return undefined;
  }
}

function readText(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

function readJson(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}

const installStamp = (root) => join(root, 'node_modules', '.multi-agent-installed');
const buildStamp = (root) => join(root, 'dist', '.multi-agent-built');

function writeStamp(path, text) {
  try {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  } catch (error) {
    // Somebody else's tree, ready but not writable: the next call looks again, no more is lost.
    if (!['EACCES', 'EPERM', 'EROFS'].includes(error.code)) throw error;
  }
}

/** Runs a command and keeps the start of what it says. No stdin, so that nothing can wait for an answer. */
function run(command, args, cwd) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    const keep = (chunk) => {
      output = (output + chunk).slice(0, KEPT_OUTPUT_CHARS);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    // A script that is ended takes npm or the compiler with it: they would go on writing behind the lock's back.
    const end = () => child.kill();
    process.once('exit', end);
    child.on('error', (error) => {
      const isMissing = error.code === 'ENOENT';
      reject(isMissing ? new BootstrapError(`${command} is not on PATH: multi-agent needs Node with npm, and git.`, 2) : error);
    });
    child.on('close', (code, signal) => {
      process.off('exit', end);
      resolve({ code: code ?? signal, output });
    });
  });
}

/** The first lines have npm's own reason or the first type errors, the last ones how it ended. */
function tail(output) {
  const lines = output.trimEnd().split('\n');
  return lines.length <= 40 ? lines.join('\n') : [...lines.slice(0, 25), '...', ...lines.slice(-10)].join('\n');
}
const seconds = (started) => `${((Date.now() - started) / 1000).toFixed(1)} s`;

/** For scripts: bootstraps, or says why not and ends the process with the code that fits. */
export async function bootstrapOrExit(options) {
  try {
    await bootstrap(options);
  } catch (error) {
    process.stderr.write(`${error instanceof BootstrapError ? error.message : (error?.stack ?? error)}\n`);
    process.exit(error instanceof BootstrapError ? error.exitCode : 1);
  }
}

const isMain = process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url);
if (isMain) await bootstrapOrExit();

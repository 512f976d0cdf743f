/**
 * `npm run install:clis`: installs the coding CLIs that the tests in `tests/clis` drive, at exact versions, into `.multi-agent-clis` (or
 * $MULTI_AGENT_CLIS). They are hundreds of megabytes and under licences of their own: no dependency of ours. With names, only those: `-- claude`.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** npm takes another version than the newest where `engines` tells it to, and the versions differ in what they do: they are named. */
const CLIS = {
  claude: { package: '@anthropic-ai/claude-code', version: '2.1.329', script: 'install.cjs' },
};

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const folder = process.env.MULTI_AGENT_CLIS || join(root, '.multi-agent-clis');
const named = process.argv.slice(2);
const unknown = named.filter((name) => !Object.hasOwn(CLIS, name));
if (unknown.length > 0) fail(`no such CLI: ${unknown.join(', ')}; known: ${Object.keys(CLIS).join(', ')}`);

for (const [name, cli] of Object.entries(CLIS)) if (named.length === 0 || named.includes(name)) install(name, cli);

/** Each in a folder of its own, so that one is not removed when another comes. */
function install(name, cli) {
  const target = join(folder, name);
  const packageFolder = join(target, 'node_modules', cli.package);
  if (versionIn(packageFolder) !== cli.version) {
    mkdirSync(target, { recursive: true });
    writeFileSync(join(target, 'package.json'), '{"private":true}\n');
    run('npm', ['install', '--no-audit', '--no-fund', '--no-save', '--ignore-scripts', `${cli.package}@${cli.version}`], target);
    // Puts the program for this platform in its place; npm may be set to run no such script.
    if (existsSync(join(packageFolder, cli.script))) run(process.execPath, [cli.script], packageFolder);
  }
  process.stdout.write(`${name} ${cli.version}: ${packageFolder}\n`);
}

function versionIn(packageFolder) {
  const file = join(packageFolder, 'package.json');
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).version : undefined;
}

function run(command, args, cwd) {
  const { status, error } = spawnSync(command, args, { cwd, stdio: ['ignore', 2, 2] });
  if (status !== 0) fail(`${command} ${args.join(' ')} failed${error === undefined ? '' : `: ${error.message}`}`);
}

function fail(message) {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}

/**
 * Bubblewrap for the demo and the tests: used where it works, and installed where that needs no question, for root on Debian or Ubuntu.
 * Gives whether runners can be sandboxed here.
 */
import { spawnSync } from 'node:child_process';

export function ensureBubblewrap(say) {
  if (works()) return true;
  if (process.getuid?.() !== 0 || succeeds('bwrap', ['--version']) || !succeeds('apt-get', ['--version'])) return false;
  say('Installing bubblewrap (apt-get) ...');
  // A fresh container has no package lists yet.
  if (!install() && succeeds('apt-get', [...APT, 'update'])) install();
  return works();
}

/** The namespaces that a sandbox is made of. */
function works() {
  return succeeds('bwrap', ['--unshare-all', '--die-with-parent', '--ro-bind', '/', '/', '--proc', '/proc', '--dev', '/dev', '/bin/true']);
}

const APT = [
  '-q',
  '-o',
  'APT::Sandbox::User=root',
  '-o',
  'Acquire::http::Timeout=8',
  '-o',
  'Acquire::https::Timeout=8',
  '-o',
  'Acquire::Retries=1',
];

function install() {
  return succeeds('apt-get', [...APT, 'install', '--yes', '--no-install-recommends', 'bubblewrap'], { DEBIAN_FRONTEND: 'noninteractive' });
}

function succeeds(command, args, environment = {}) {
  return spawnSync(command, args, { stdio: 'ignore', timeout: 180_000, env: { ...process.env, ...environment } }).status === 0;
}

import { isIP } from 'node:net';
import type { Faults } from './faults.ts';

/** The hosts a repository may be on. Nothing else is ever contacted on the word of a request. */
const HOSTS: readonly string[] = ['github.com'];
const OWNER = /^[A-Za-z0-9](?:[A-Za-z0-9-]{0,37}[A-Za-z0-9])?$/;
const NAME = /^(?!\.{1,2}$)[A-Za-z0-9._-]{1,100}$/;

/**
 * `owner/repo`, an https URL or an ssh one (`git@host:owner/repo`, `ssh://git@host/owner/repo`) as `https://github.com/owner/repo`.
 * What is wrong with it is a fault, and undefined. A credential in it is refused, and never repeated.
 */
export function forgeUrl(text: string, faults: Faults): string | undefined {
  const url = asUrl(text);
  if (!url) return refused(faults, 'bad_repository', 'that is no URL we understand');
  const fault = credentialFault(url) ?? addressFault(url);
  if (fault !== undefined) return refused(faults, 'bad_repository', fault);
  const host = url.hostname.toLowerCase();
  if (!HOSTS.includes(host)) return refused(faults, 'forge_not_available', `no forge is configured for ${host}`);
  const [owner = '', name = '', ...rest] = url.pathname.replace(/^\/|\/$/g, '').split('/');
  const bare = name.replace(/\.git$/, '');
  if (!OWNER.test(owner) || !NAME.test(bare) || rest.length > 0)
    return refused(faults, 'bad_repository', `${host} has its repositories at owner/repo`);
  return `https://${host}/${owner}/${bare}`;
}

function refused(faults: Faults, code: string, message: string): string | undefined {
  faults.add(code, `--repo: ${message}`);
  return undefined;
}

function asUrl(text: string): URL | undefined {
  const scp = /^([^/\s@]+)@([^/\s:]+):(?!\/\/)(.+)$/.exec(text);
  const full = scp ? `ssh://${scp[1] ?? ''}@${scp[2] ?? ''}/${scp[3] ?? ''}` : text.includes('://') ? text : `https://github.com/${text}`;
  return URL.canParse(full) ? new URL(full) : undefined;
}

function credentialFault({ protocol, username, password, search, hash }: URL): string | undefined {
  if (protocol !== 'https:' && protocol !== 'ssh:') return `only https and ssh URLs are taken, not ${protocol.slice(0, -1)}`;
  const user = protocol === 'ssh:' && username === 'git' ? '' : username;
  if (user !== '' || password !== '') return 'a URL must not carry a user or a password';
  if (search !== '' || hash !== '') return 'a URL must not carry a query or a fragment';
  return undefined;
}

/** Addresses are never names of a forge: neither private ones nor public ones. */
function addressFault({ hostname, port }: URL): string | undefined {
  const host = hostname.replace(/^\[|\]$/g, '').toLowerCase();
  if (isIP(host) !== 0 || host === 'localhost' || /\.(localhost|local|internal|home\.arpa)$/.test(host) || !host.includes('.')) {
    return `${host} is a private or bare address`;
  }
  return port === '' ? undefined : 'a URL must not carry a port';
}

import { api } from '../messaging/api-subjects.ts';
import { heardBy, type Identity, permissionsOf, takesTasks } from '../messaging/permissions.ts';
import type { AgentRole } from '../domain/ids.ts';

/** Somebody who may connect. */
export interface NatsUser {
  readonly identity: Identity;
  /** Of its nkey (`U...`). */
  readonly publicKey: string;
}

/** The account that has the streams. What was there before accounts is moved to it; see `adoptGlobalAccount`. */
export const CORE_ACCOUNT = 'MULTI_AGENT';
/** Where the calls of agents go that are not theirs to make: nobody listens there. */
const NOBODY = 'multi-agent-nobody.>';

/**
 * The `accounts` block of a server's configuration.
 *
 * Streams, repo-managers and people share one account. Every agent that takes tasks has an account of its own, into which just the subjects of its
 * permissions are imported. Permissions alone would not do: a server sends its answer to whatever reply subject a request names, with
 * its own rights, so that an agent that may publish anything could have a verdict stored, a record overwritten or a stream purged. The
 * answer to an imported request stays in the account of who asked.
 */
export function renderAccounts(users: readonly NatsUser[]): string {
  const agents = users.filter(({ identity }) => takesTasks(identity));
  const core = users.filter(({ identity }) => !takesTasks(identity));
  return `accounts {
  ${CORE_ACCOUNT}: {
    jetstream: enabled
    users: [
${core.map(renderUser).join('\n')}
    ]
    exports: [
${exportsFor(agents).join('\n')}
    ]
  }
${agents.map(renderAgent).join('\n')}
}
`;
}

function accountOf(identity: Identity): string {
  return `${CORE_ACCOUNT}-${identity}`;
}

function renderUser({ identity, publicKey }: NatsUser): string {
  const { publish, subscribe, answers } = permissionsOf(identity);
  return `      { # ${identity}
        nkey: ${publicKey}
        permissions: {
          publish: { allow: ${list(publish)} }
          subscribe: { allow: ${list(subscribe)} }${answers ? '\n          allow_responses: { max: 1, expires: "2m" }' : ''}
        }
      }`;
}

function renderAgent(user: NatsUser): string {
  const { identity } = user;
  const imports = [
    ...permissionsOf(identity).publish.map((subject) => `{ service: { account: ${CORE_ACCOUNT}, subject: ${quote(subject)} } }`),
    // Every account has the API of its own JetStream, here none, which would answer first.
    `{ service: { account: ${CORE_ACCOUNT}, subject: ${quote(NOBODY)} }, to: ${quote(api.all)} }`,
    ...heardBy(roleOf(identity)).map((subject) => `{ stream: { account: ${CORE_ACCOUNT}, subject: ${quote(subject)} } }`),
  ];
  return `  ${quote(accountOf(identity))}: {
    users: [
${renderUser(user)}
    ]
    imports: [
${imports.map((one) => `      ${one}`).join('\n')}
    ]
  }`;
}

/** What is exported, each to the accounts that import it and no others. */
function exportsFor(agents: readonly NatsUser[]): string[] {
  const services = new Map<string, Identity[]>();
  const streams = new Map<string, Identity[]>();
  for (const { identity } of agents) {
    for (const subject of [...permissionsOf(identity).publish, NOBODY]) services.set(subject, [...(services.get(subject) ?? []), identity]);
    for (const subject of heardBy(roleOf(identity))) streams.set(subject, [...(streams.get(subject) ?? []), identity]);
  }
  return [...exported('service', services), ...exported('stream', streams)];
}

function exported(kind: 'service' | 'stream', subjects: ReadonlyMap<string, readonly Identity[]>): string[] {
  return [...subjects].map(([subject, to]) => `      { ${kind}: ${quote(subject)}, accounts: ${list(to.map(accountOf))} }`);
}

function roleOf(identity: Identity): Exclude<AgentRole, 'repo-manager'> {
  return identity.startsWith('coder-') ? 'coder' : 'reviewer';
}

function list(subjects: readonly string[]): string {
  return `[${subjects.map(quote).join(', ')}]`;
}

function quote(text: string): string {
  return JSON.stringify(text);
}

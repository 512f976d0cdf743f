import { inboxPrefixOf, permissionsOf, takesTasks } from './permissions.ts';

/** Who has a row in the docs: one of each kind. */
const SHOWN = ['provisioner', 'operator', 'repo-manager-1', 'coder-1', 'reviewer-1'];

/** The content of `docs/nats-permissions.md`. */
export function renderPermissionsPage(): string {
  return [INTRODUCTION, ...SHOWN.map(section)].join('\n');
}

function section(identity: string): string {
  const { publish, subscribe, answers } = permissionsOf(identity);
  const rows = [
    ...publish.map((subject) => `| \`${subject}\` | publish |`),
    ...subscribe.map((subject) => `| \`${subject}\` | subscribe |`),
    ...(answers ? ['| the reply subject of a request that came | publish, once, within 2 min |'] : []),
  ];
  const where = takesTasks(identity) ? `an account of its own, into which just these are imported` : 'the account with the streams';
  return [
    `## ${identity}`,
    '',
    `In ${where}. Answers come below \`${inboxPrefixOf(identity)}\`.`,
    '',
    '| subject | may |',
    '| --- | --- |',
    ...rows,
    '',
  ].join('\n');
}

const INTRODUCTION = `<!-- Generated from src/shared/messaging/permissions.ts by \`npm run docs:generate\`; change it there. -->

# Permissions on NATS

Who may do what, subject by subject: whatever is not here is refused by the server. \`multi-agent up\` tells its own server, and
\`multi-agent nats users\` prints it for one of yours. Why it is accounts, and a user an agent: [decision](decisions/0011-an-account-an-agent.md).
What it keeps from whom: [security.md](security.md).

\`$JS.API...\` are calls of JetStream, \`$KV.<bucket>.<key>\` are keys, \`$JS.ACK...\` answers to tasks and inputs, \`$O.bundles.C.<agent>\` parts of bundles.
\`tests/integration/permissions\` tries every subject of everybody with everybody.
`;

import { entries } from './load.ts';
import type { Variable, VariableGroup } from './variable.ts';

const HEADINGS = {
  general: 'General',
  nats: 'NATS',
  runners: 'Runners: what thinks for the agents',
  models: 'Models: handed to coders and reviewers, and their runners',
  timing: 'Timing',
  forge: 'Forge',
  notifications: 'Notifications',
} as const satisfies Record<VariableGroup, string>;

const NOTE = 'Generated from src/shared/config/variables.ts by `npm run docs:generate`; change it there.';

/** The content of `.env.example`: every variable, commented out, with its default. */
export function renderEnvExample(): string {
  return [`# ${NOTE}`, '# Export what you need before `multi-agent up`; nothing here is required.', '', ...groups().map(envSection)].join(
    '\n',
  );
}

/** The content of `docs/configuration.md`. */
export function renderConfigurationPage(): string {
  return [`<!-- ${NOTE} -->\n`, INTRODUCTION, ...groups().map(pageSection), ROLE_FILES].join('\n');
}

function groups(): [VariableGroup, Variable<unknown>[]][] {
  const names = Object.keys(HEADINGS) as VariableGroup[];
  return names.map((group) => [group, entries().flatMap(([, variable]) => (variable.group === group ? [variable] : []))]);
}

function envSection([group, variables]: [VariableGroup, Variable<unknown>[]]): string {
  const blocks = variables.map(
    (variable) => `# ${variable.description.replaceAll('`', '')}\n#${variable.name}=${variable.fallback ?? ''}\n`,
  );
  return [`## ${HEADINGS[group]}`, '', ...blocks].join('\n');
}

function pageSection([group, variables]: [VariableGroup, Variable<unknown>[]]): string {
  const rows = variables.map((variable) => {
    const fallback = variable.fallback === undefined ? '' : `\`${variable.fallback}\``;
    const readers = variable.readers.length === 3 ? 'all agents' : variable.readers.join(', ');
    return `| \`${variable.name}\`${variable.secret ? ' (secret)' : ''} | ${fallback} | ${readers === '' ? 'CLI only' : readers} | ${variable.description} |`;
  });
  return [`## ${HEADINGS[group]}\n`, '| variable | default | who sees it | what it does |', '| --- | --- | --- | --- |', ...rows, ''].join(
    '\n',
  );
}

const INTRODUCTION = `# Configuration

Everything is set by environment variables, read when \`multi-agent up\` (or \`restart\`) runs. None is required: with none set, \`up\` keeps its
data in \`~/.multi-agent\` and starts a NATS server of its own. Every fault is named at once, with exit code 2. \`multi-agent config\` prints what
is in effect, secrets masked.

The CLI finds the system by \`--nats\`, else by \`NATS_URL\` or \`NATS_PORT\`, else by \`run/runtime.json\` in the home (which \`up\` writes), else on
127.0.0.1:4222.
`;

const ROLE_FILES = `## Who sees what

\`up\` writes one file a role, \`run/<role>.env\` in the home, readable by its owner only, with just the variables of the column *who sees it*.
The daemons themselves start with \`PATH\`, \`HOME\`, \`LANG\`, \`AGENT_ID\`, \`MULTI_AGENT_HOME\` and the path of that file, and nothing else of the shell
that ran \`up\`: a secret of yours that is not in the table reaches no daemon, no process list and no dump of PM2.

After changing a variable, \`multi-agent up\` again rewrites the files and restarts the daemons whose file changed.
`;

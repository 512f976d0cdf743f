/**
 * Imports point one way: domain <- messages <- ports and messaging <- agents, server, cli.
 * Each rule below forbids one way back; "allowed" would have to be kept up for every new folder.
 */

/** What domain and messages may lean on: codes and classes of errors, which know nothing of ours themselves. */
const ERRORS = '^src/shared/errors/';

export default {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'no-unresolvable',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'domain-is-pure',
      comment:
        'No clock, no I/O: the domain imports nothing of ours, only zod, and of Node the hash (the lint rule lets createHash alone through).',
      severity: 'error',
      from: { path: '^src/shared/domain/' },
      to: { pathNot: ['^src/shared/domain/', '^node_modules/zod/', '^(node:)?crypto$'] },
    },
    {
      name: 'errors-know-nothing',
      severity: 'error',
      from: { path: ERRORS },
      to: { path: '^src/', pathNot: ERRORS },
    },
    {
      name: 'messages-only-on-domain',
      severity: 'error',
      from: { path: '^src/shared/messages/' },
      to: { path: '^src/', pathNot: ['^src/shared/(domain|messages)/', ERRORS] },
    },
    {
      name: 'shared-knows-no-user-of-it',
      severity: 'error',
      from: { path: '^src/shared/' },
      to: { path: '^src/(agents|server|cli)/' },
    },
    {
      name: 'agents-talk-in-messages',
      comment: 'Agents never import each other, only what they share in agents/base.',
      severity: 'error',
      from: { path: '^src/agents/([^/]+)/' },
      to: { path: '^src/agents/([^/]+)/', pathNot: ['^src/agents/$1/', '^src/agents/base/'] },
    },
    {
      name: 'base-knows-no-agent',
      severity: 'error',
      from: { path: '^src/agents/base/' },
      to: { path: '^src/agents/', pathNot: '^src/agents/base/' },
    },
    {
      name: 'agents-not-on-cli-or-server',
      severity: 'error',
      from: { path: '^src/agents/' },
      to: { path: '^src/(cli|server)/' },
    },
    {
      name: 'server-not-on-cli-or-agents',
      severity: 'error',
      from: { path: '^src/server/' },
      to: { path: '^src/(cli|agents)/' },
    },
    {
      name: 'cli-not-on-agents',
      comment: 'The CLI starts daemons as processes and talks to them in messages.',
      severity: 'error',
      from: { path: '^src/cli/' },
      to: { path: '^src/(agents|server)/' },
    },
    {
      name: 'ports-know-no-adapter',
      comment: 'A port is alone in the root file of its folder; the registry beside it may know the adapters.',
      severity: 'error',
      from: { path: '^src/shared/(forge|runner|notifier)/(forge|runner|notifier)\\.ts$' },
      to: { path: '^src/shared/(forge|runner|notifier)/[^/]+/' },
    },
    {
      name: 'product-imports-no-tests',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^(tests|bench|scripts|examples)/' },
    },
    {
      name: 'product-needs-no-dev-dependency',
      severity: 'error',
      from: { path: '^src/' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'], dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'no-drawers',
      comment: 'A folder is a capability: things go where they are used, not into a drawer for anything.',
      severity: 'error',
      from: {},
      to: { path: '^(src|tests)/.*(^|/)(utils?|helpers?|common|misc)(/|\\.ts$)' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'types', 'default'] },
  },
};

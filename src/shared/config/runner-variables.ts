import { type ConfigRole, defaulted, hosts, oneOf, optional, paths, text, type Variable, variableNames, yesNo } from './variable.ts';

/** What can do the thinking for a coder or a reviewer. */
export const RUNNER_NAMES = ['claude', 'command', 'replay'] as const;
export type RunnerName = (typeof RUNNER_NAMES)[number];

const ALL: readonly ConfigRole[] = ['repo-manager', 'coder', 'reviewer'];
const WORKERS: readonly ConfigRole[] = ['coder', 'reviewer'];

/** Who thinks for coders and reviewers, and where what is started for them is run. */
export const RUNNERS = {
  coderRunner: optional({
    name: 'CODER_RUNNER',
    group: 'runners',
    schema: oneOf(RUNNER_NAMES),
    readers: ['coder'],
    description:
      'What thinks for the coders: `claude` (Claude Code), `command` or `replay`. Unset: `command` where `CODER_COMMAND` is set, `replay` where `CODER_RECORDING` is.',
  }),
  coderCommand: optional({
    name: 'CODER_COMMAND',
    group: 'runners',
    schema: text,
    readers: ['coder'],
    description: "The command line of the coders' `command` runner, run in the worktree without a shell, the prompt on its stdin.",
  }),
  coderRecording: optional({
    name: 'CODER_RECORDING',
    group: 'runners',
    schema: text,
    readers: ['coder'],
    path: true,
    description: "The recording (JSON lines) that the coders' `replay` runner plays.",
  }),
  coderModel: optional({
    name: 'CODER_MODEL',
    group: 'runners',
    schema: text,
    readers: ['coder'],
    description:
      "The model that the coders' coding CLI asks, by the CLI's own name for it. Unset: the CLI's default, which changes with its versions.",
  }),
  reviewerRunner: optional({
    name: 'REVIEWER_RUNNER',
    group: 'runners',
    schema: oneOf(RUNNER_NAMES),
    readers: ['reviewer'],
    description:
      'What thinks for the reviewers: `claude`, `command` or `replay`. Unset: as for `CODER_RUNNER`, from `REVIEWER_COMMAND` or `REVIEWER_RECORDING`.',
  }),
  reviewerCommand: optional({
    name: 'REVIEWER_COMMAND',
    group: 'runners',
    schema: text,
    readers: ['reviewer'],
    description: "The command line of the reviewers' `command` runner; its last line on stdout is the verdict as JSON.",
  }),
  reviewerRecording: optional({
    name: 'REVIEWER_RECORDING',
    group: 'runners',
    schema: text,
    readers: ['reviewer'],
    path: true,
    description: "The recording (JSON lines) that the reviewers' `replay` runner plays.",
  }),
  reviewerModel: optional({
    name: 'REVIEWER_MODEL',
    group: 'runners',
    schema: text,
    readers: ['reviewer'],
    description: 'The same for the reviewers, who may ask another model than the coders.',
  }),
  claudeProgram: defaulted({
    name: 'CLAUDE_PROGRAM',
    group: 'runners',
    schema: text,
    fallback: 'claude',
    readers: WORKERS,
    description: 'The executable of Claude Code: a name on PATH, or an absolute path.',
  }),
  passEnv: defaulted({
    name: 'MULTI_AGENT_PASS_ENV',
    group: 'runners',
    schema: variableNames,
    fallback: '',
    readers: ALL,
    description:
      "Names, separated by commas, of variables in `up`'s environment that a repository may ask for with `env` in its `.multi-agent.json`: a registry, a proxy. Runners, setup and checks of such a repository see them; their values are redacted from all that is shown.",
  }),
  unsafeNoSandbox: defaulted({
    name: 'MULTI_AGENT_UNSAFE_NO_SANDBOX',
    group: 'runners',
    schema: yesNo,
    fallback: '0',
    readers: ALL,
    description:
      '1: runners, setup and checks run without a sandbox, even where there is one: they can do whatever your user can, and read the keys of the system. For containers that can not make namespaces, and for trials.',
  }),
  allowedHosts: defaulted({
    name: 'MULTI_AGENT_ALLOWED_HOSTS',
    group: 'runners',
    schema: hosts,
    fallback: '',
    readers: ALL,
    description:
      'Hosts, separated by commas, that runners, setup and checks may reach out of the sandbox: `registry.npmjs.org` (port 443), `mirror.example.com:8080`. They are reached through a proxy (`HTTPS_PROXY`), and nothing else is but the models. A change can send the source to any of them.',
  }),
  sandboxRead: defaulted({
    name: 'MULTI_AGENT_SANDBOX_READ',
    group: 'runners',
    schema: paths,
    fallback: '',
    readers: ALL,
    description:
      "Absolute paths, separated by colons, that runners, setup and checks can read inside the sandbox beside the system's own programs: a toolchain in somebody's home (`~/.cargo/bin`, `~/.rustup`), a folder of tools.",
  }),
} as const satisfies Record<string, Variable<unknown>>;

import { AgentId } from '../domain/ids.ts';
import { defaulted, oneOf, optional, replicaCount, text, url, urls, wholeNumber, type ConfigRole, type Variable } from './variable.ts';
import { MODELS } from './model-variables.ts';
import { RUNNERS } from './runner-variables.ts';

const ALL: readonly ConfigRole[] = ['repo-manager', 'coder', 'reviewer'];
const WORKERS: readonly ConfigRole[] = ['coder', 'reviewer'];

const GENERAL = {
  home: defaulted({
    name: 'MULTI_AGENT_HOME',
    group: 'general',
    schema: text,
    fallback: '~/.multi-agent',
    readers: ALL,
    path: true,
    description: 'Where everything is kept: NATS data, repository caches, worktrees, run files, logs.',
  }),
  agentId: optional({
    name: 'AGENT_ID',
    group: 'general',
    schema: AgentId,
    readers: ALL,
    description: 'Which agent a daemon is, for instance `coder-1`. Set by `up` for each daemon; nothing for a person to set.',
  }),
  repoManagers: optional({
    name: 'REPO_MANAGERS',
    group: 'general',
    schema: wholeNumber(0, 100),
    readers: [],
    description:
      'How many repo-managers `up` starts; `--repo-managers` comes first. Unset: as many as run already, else 1. 0: only agents, for a system on another machine (docs/scaling.md).',
  }),
  coders: optional({
    name: 'CODERS',
    group: 'general',
    schema: wholeNumber(0, 100),
    readers: [],
    description: 'How many coders `up` starts; `--coders` comes first. Unset: as many as run already, else 1.',
  }),
  reviewers: optional({
    name: 'REVIEWERS',
    group: 'general',
    schema: wholeNumber(0, 100),
    readers: [],
    description: 'How many reviewers `up` starts; `--reviewers` comes first. Unset: as many as run already, else 1.',
  }),
  logLevel: defaulted({
    name: 'LOG_LEVEL',
    group: 'general',
    schema: oneOf(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']),
    fallback: 'info',
    readers: ALL,
    description: 'The least severe log lines to keep: trace, debug, info, warn, error, fatal or silent.',
  }),
  healthPort: defaulted({
    name: 'HEALTH_PORT',
    group: 'general',
    schema: wholeNumber(1, 65535),
    fallback: '3000',
    readers: [],
    description: 'The port of the HTTP server. Reserved: this version has no such server; ask `multi-agent health`.',
  }),
} as const satisfies Record<string, Variable<unknown>>;

const NATS = {
  natsUrl: optional({
    name: 'NATS_URL',
    group: 'nats',
    schema: urls(['nats', 'tls']),
    readers: ALL,
    description: 'The NATS server to use (2.9.10 or newer, with JetStream). Unset: `up` starts one of its own on `NATS_PORT`.',
  }),
  natsPort: defaulted({
    name: 'NATS_PORT',
    group: 'nats',
    schema: wholeNumber(1, 65535),
    fallback: '4222',
    readers: [],
    description: 'The port on 127.0.0.1 of the server that `up` starts where `NATS_URL` is not set.',
  }),
  natsReplicas: optional({
    name: 'NATS_REPLICAS',
    group: 'nats',
    schema: replicaCount,
    readers: ALL,
    description:
      'How many nodes of a NATS cluster keep a copy of everything: 1, 3 or 5. `up` and `topology --apply` make it so, and agents that see it refuse another number. Unset: new streams get 3 on a cluster and 1 elsewhere, those there are keep what they have.',
  }),
  natsCreds: optional({
    name: 'NATS_CREDS',
    group: 'nats',
    schema: text,
    readers: ALL,
    path: true,
    description: 'A credentials file (JWT and seed) for `NATS_URL`.',
  }),
  natsNkeyFile: optional({
    name: 'NATS_NKEY_FILE',
    group: 'nats',
    schema: text,
    readers: ALL,
    path: true,
    description:
      'A file with an nkey seed for `NATS_URL`. One of those that `multi-agent nats users` wrote stands for all of them: everybody takes its own from the same folder. The server that `up` starts has its own, in `run` of the home.',
  }),
  natsCaFile: optional({
    name: 'NATS_CA_FILE',
    group: 'nats',
    schema: text,
    readers: ALL,
    path: true,
    description: 'The certificate authority (PEM) that the NATS server is checked against.',
  }),
  natsCertFile: optional({
    name: 'NATS_CERT_FILE',
    group: 'nats',
    schema: text,
    readers: ALL,
    path: true,
    description: 'A client certificate (PEM) for the NATS server; needs `NATS_KEY_FILE`.',
  }),
  natsKeyFile: optional({
    name: 'NATS_KEY_FILE',
    group: 'nats',
    schema: text,
    readers: ALL,
    path: true,
    description: 'The key (PEM) of `NATS_CERT_FILE`.',
  }),
} as const satisfies Record<string, Variable<unknown>>;

const TIMING = {
  ackWaitMs: defaulted({
    name: 'MULTI_AGENT_ACK_WAIT_MS',
    group: 'timing',
    schema: wholeNumber(500, 600_000),
    fallback: '10000',
    readers: ALL,
    description: 'How long (ms) a silent agent keeps its task before another gets it. Each `up` and `topology --apply` sets it.',
  }),
  stallMs: defaulted({
    name: 'MULTI_AGENT_STALL_MS',
    group: 'timing',
    schema: wholeNumber(100, 86_400_000),
    fallback: '900000',
    readers: WORKERS,
    description: 'How long (ms) a runner may say nothing before it is ended as hung.',
  }),
  drainMs: defaulted({
    name: 'MULTI_AGENT_DRAIN_MS',
    group: 'timing',
    schema: wholeNumber(0, 3_600_000),
    fallback: '10000',
    readers: ALL,
    description: 'How long (ms) a stopping agent lets its task go on before it hands the work so far back.',
  }),
} as const satisfies Record<string, Variable<unknown>>;

const OUTSIDE = {
  githubToken: optional({
    name: 'GITHUB_TOKEN',
    group: 'forge',
    schema: text,
    readers: ['repo-manager'],
    secret: true,
    description: 'A GitHub token. Reserved: this version has the `local` forge only. No other daemon than the repo-manager ever sees it.',
  }),
  slackWebhookUrl: optional({
    name: 'SLACK_WEBHOOK_URL',
    group: 'notifications',
    schema: url(['https', 'http']),
    readers: ['repo-manager'],
    secret: true,
    description: 'Where Slack takes notifications. Reserved.',
  }),
  discordWebhookUrl: optional({
    name: 'DISCORD_WEBHOOK_URL',
    group: 'notifications',
    schema: url(['https', 'http']),
    readers: ['repo-manager'],
    secret: true,
    description: 'Where Discord takes notifications. Reserved.',
  }),
  notificationLevel: defaulted({
    name: 'NOTIFICATION_LEVEL',
    group: 'notifications',
    schema: oneOf(['all', 'important', 'none']),
    fallback: 'important',
    readers: ['repo-manager'],
    description: 'What is worth a notification: all, important or none. Reserved.',
  }),
} as const satisfies Record<string, Variable<unknown>>;

/** Every environment variable the system reads, by its name in the config. The only place where one is named. */
export const VARIABLES = { ...GENERAL, ...NATS, ...RUNNERS, ...TIMING, ...MODELS, ...OUTSIDE } as const;

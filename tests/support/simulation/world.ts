import { TimeoutError } from '@nats-io/transport-node';
import { answerBundleNeed } from '../../../src/agents/repo-manager/bundle-service.ts';
import type { RepoManagerContext } from '../../../src/agents/repo-manager/context.ts';
import { isTerminal, type Job } from '../../../src/shared/domain/job.ts';
import { versioned } from '../../../src/shared/messages/envelope.ts';
import type { FeatureRequest } from '../../../src/shared/messages/feature-request.ts';
import type { CommandMessage } from '../../../src/shared/messages/job-input.ts';
import { subjects } from '../../../src/shared/messages/subjects.ts';
import { type AgentWorld, startAgent } from './agents.ts';
import { createMirror, type Tree } from './code.ts';
import type { StoredMessage } from './nats.ts';
import { type ForgeWorld, MAIN, REPOSITORY } from './forge.ts';
import type { Luck } from './luck.ts';
import { createOracle, type Oracle } from './oracle.ts';
import { BEGINNING, createProcess, type Incident, type Process, type Surroundings } from './process.ts';
import { startRepoManager } from './repo-manager.ts';
import { SABOTAGES, type Sabotage, type Sabotaged } from './sabotage.ts';
import { createServer, type Server } from './server.ts';
import { createTimeline, type Timeline } from './timeline.ts';

export interface World {
  readonly timeline: Timeline;
  readonly server: Server;
  readonly forge: ForgeWorld;
  readonly oracle: Oracle;
  readonly jobIds: readonly string[];
  readonly sweepEveryMs: number;
  job(jobId: string): Job | undefined;
  /** A person's command, stored at once. */
  command(jobId: string, command: PersonCommand): void;
}

/** What of a report is of interest to those who watch. */
interface Told {
  readonly jobId: string;
  readonly taskId: string;
  readonly dispatch: number;
  readonly attempt: number;
  readonly review?: { readonly decision: string; readonly headCommit: string };
  readonly usage?: { readonly costUsd: number };
}

export type PersonCommand = 'StopJob' | 'ApproveJob' | 'RejectJob' | 'RetryJob';

export interface WorldOptions {
  readonly luck: Luck;
  readonly sabotage?: Sabotage | undefined;
  readonly tell?: (line: string) => void;
}

const FIRST_TREE: Tree = { 'README.md': '# app', 'shared.txt': 'as it was', interface: '', '.multi-agent.json': '{"checks":["npm test"]}' };
const MISFORTUNES = [0.01, 0.03, 0.003, 0.08] as const;
/** A minute in earnest; oftener here, for what a sweep may get in the way of. */
const SWEEPS_MS = [60_000, 25_000, 9_000] as const;
const NEED_TIMEOUT_MS = 60_000;
const DOWN_MS = 90_000;
const HOUR_MS = 3_600_000;

/** A repository, its people, repo-managers and agents, with some jobs submitted. Nothing happens before the timeline runs. */
export function createWorld({ luck, sabotage, tell }: WorldOptions): World {
  const timeline = createTimeline();
  const say = tell
    ? (line: string): void => {
        tell(`${timeline.now().toFixed(0).padStart(7)} ${line}`);
      }
    : (): void => undefined;
  const oracle = createOracle();
  const server = createServer(
    timeline,
    say,
    (before, after) => {
      if (after) say(`  ${shortId(after.id)} is ${after.status} ${after.phase}${after.pending.length > 0 ? `: ${pendingOf(after)}` : ''}`);
      oracle.onJob(before, after);
    },
    oracle.onClosed,
  );
  const forge = createForgeWorld(server, oracle, say);
  const jobIds = Array.from({ length: 1 + luck.pick('jobs', 3) }, (_, index) => `job-${String(index + 1).padStart(26, '0')}`);
  const processes: Process[] = [];
  const contexts = new Map<string, RepoManagerContext>();
  const listeners = new Map<string, Set<() => void>>();
  let commands = 0;

  const job = (jobId: string): Job | undefined => server.jobs.entries.get(jobId)?.value;
  const command = (jobId: string, type: PersonCommand): void => {
    const commandId = `command-${String((commands += 1))}`;
    const headCommit = job(jobId)?.headCommit;
    const head = { ...versioned({ jobId, commandId, at: BEGINNING + Math.floor(timeline.now()) }), type };
    if (type === 'RetryJob') oracle.retries(commandId);
    if (type === 'ApproveJob' && headCommit !== undefined) oracle.approves(jobId, headCommit, 'person');
    say(`a person: ${type} ${shortId(jobId)}`);
    const message = (
      type === 'ApproveJob' ? { ...head, headCommit } : type === 'RejectJob' ? { ...head, comment: 'Not so.' } : head
    ) as CommandMessage;
    if (type === 'ApproveJob' && headCommit === undefined) return;
    server.inputs.store(subjects.input('command', jobId), message, commandId);
  };
  const surroundings: Surroundings = {
    timeline,
    luck,
    misfortune: MISFORTUNES[luck.pick('misfortune', MISFORTUNES.length)] ?? 0,
    incidents: incidentsOf({ server, forge, luck, jobIds, processes, command, timeline }),
    tell: say,
  };

  server.inputs.onStored(({ payload }) => {
    const report = payload as Told;
    if (report.usage) oracle.costs(report.jobId, `${report.taskId} ${report.dispatch} ${report.attempt}`, report.usage.costUsd);
    if (report.review?.decision === 'APPROVE') oracle.approves(report.jobId, report.review.headCommit, 'reviewer');
  });
  const agentWorld: AgentWorld = {
    server,
    luck,
    cache: new Set(),
    askForBundle: (self, need) =>
      new Promise((resolve, reject) => {
        const able = processes.filter((process) => contexts.get(process.current()?.id ?? '') !== undefined);
        const asked = able[luck.pick('who answers', Math.max(1, able.length))]?.current();
        const context = contexts.get(asked?.id ?? '');
        timeline.after(NEED_TIMEOUT_MS, () => {
          self.hear(() => {
            reject(new TimeoutError());
          });
        });
        if (!asked || !context) return;
        timeline.after(1, () => {
          asked.hear(() => {
            void answerBundleNeed(context, () => need).then((answer) => {
              timeline.after(1, () => {
                self.hear(() => {
                  resolve(answer);
                });
              });
            });
          });
        });
      }),
    onCancel: (taskId, look) => {
      const looking = listeners.get(taskId) ?? new Set();
      listeners.set(taskId, looking.add(look));
      return () => looking.delete(look);
    },
  };
  const sweepEveryMs = SWEEPS_MS[luck.pick('sweeps', SWEEPS_MS.length)] ?? 60_000;
  const wrong: Sabotaged | undefined = sabotage === undefined ? undefined : SABOTAGES[sabotage];
  const repoManagerWorld = {
    server,
    forge,
    luck,
    sweepEveryMs,
    onCancelled: (taskId: string) => {
      timeline.after(1, () => {
        for (const look of listeners.get(taskId) ?? []) look();
      });
    },
    sabotage: (context: RepoManagerContext) => wrong?.context?.(context, { server, forge }) ?? context,
    acksFirst: wrong?.acksFirst ?? false,
  };
  const start = (role: 'repo-manager' | 'coder' | 'reviewer', ways: number): void => {
    const count = 1 + luck.pick(`${role}s`, ways);
    for (let n = 1; n <= count; n++) {
      processes.push(
        createProcess(surroundings, `${role}-${String(n)}`, (self) => {
          if (role === 'repo-manager') contexts.set(self.id, startRepoManager(self, repoManagerWorld));
          else startAgent(self, role, agentWorld);
        }),
      );
    }
  };
  start('repo-manager', 3);
  start('coder', 2);
  start('reviewer', 2);
  for (const [index, jobId] of jobIds.entries()) {
    const merge = luck.pick('who merges', 3) === 2 ? 'manual' : 'auto';
    timeline.after(index * 3, () => {
      server.requests.store(subjects.request(jobId), requestOf(jobId, merge), jobId);
    });
  }
  return { timeline, server, forge, oracle, jobIds, sweepEveryMs, job, command };
}

function createForgeWorld(server: Server, oracle: Oracle, say: (line: string) => void): ForgeWorld {
  const base = server.commits.make({ parents: [], tree: FIRST_TREE, message: 'first' }).id;
  return {
    hosted: { base, branches: new Map(), changeRequests: [], publishing: new Map(), isDirty: false, downUntil: 0 },
    commits: server.commits,
    mirror: createMirror(server.commits),
    onLanded: (merge) => {
      say(`  ${shortId(merge.jobId)} is merged`);
      oracle.onLanded(merge);
    },
  };
}

function requestOf(jobId: string, merge: 'auto' | 'manual'): FeatureRequest {
  return versioned({
    type: 'FeatureRequest' as const,
    jobId,
    priority: 'normal' as const,
    repository: REPOSITORY,
    branch: MAIN,
    feature: { title: `Feature ${shortId(jobId)}`, description: '', requirements: [], acceptanceCriteria: [] },
    workflow: { merge, maxRounds: 3, timeoutMs: HOUR_MS },
    submittedAt: BEGINNING,
  });
}

interface IncidentWorld extends Pick<World, 'server' | 'forge' | 'jobIds' | 'command' | 'timeline'> {
  readonly luck: Luck;
  readonly processes: readonly Process[];
}

/** What people, other programs and machines do, just when it suits least. */
function incidentsOf({ server, forge, luck, jobIds, processes, command, timeline }: IncidentWorld): Incident[] {
  const { hosted, commits } = forge;
  const someJob = (): string => jobIds[luck.pick('which job', jobIds.length)] ?? '';
  const someProcess = (): Process | undefined => processes[luck.pick('which process', processes.length)];
  const person = (type: PersonCommand): Incident => ({
    name: `meanwhile a person: ${type}`,
    happen: () => {
      command(someJob(), type);
    },
  });
  const inputs: StoredMessage[] = [];
  server.inputs.onStored((message) => inputs.push(message));
  let moves = 0;
  const moveBase = (name: string, change: (tree: Tree, text: string) => Tree): Incident => ({
    name: `meanwhile ${name}`,
    happen: () => {
      const text = `move ${String((moves += 1))}`;
      hosted.base = commits.make({ parents: [hosted.base], tree: change(commits.of(hosted.base).tree, text), message: text }).id;
    },
  });
  return [
    person('StopJob'),
    person('ApproveJob'),
    person('RejectJob'),
    person('RetryJob'),
    person('RetryJob'),
    moveBase('the base moves', (tree, text) => ({ ...tree, 'other.txt': text })),
    moveBase('the base changes a file that jobs change too', (tree, text) => ({ ...tree, 'shared.txt': text })),
    moveBase('the base changes what jobs build on', (tree, text) => ({
      ...Object.fromEntries(Object.entries(tree).map(([path, was]) => [path, path.startsWith('needs-') ? text : was])),
      interface: text,
    })),
    {
      name: 'meanwhile a person edits the tree, or is done with it',
      happen: () => {
        hosted.isDirty = !hosted.isDirty;
      },
    },
    {
      name: "meanwhile somebody commits on the job's branch",
      happen: () => {
        const jobId = someJob();
        const head = hosted.branches.get(`multi-agent/${jobId}`);
        if (head === undefined) return;
        const tree = { ...commits.of(head).tree, 'by-hand.txt': `move ${String((moves += 1))}` };
        hosted.branches.set(`multi-agent/${jobId}`, commits.make({ parents: [head], tree, message: 'by hand' }).id);
      },
    },
    {
      name: 'meanwhile the forge goes down for 90 s',
      happen: () => {
        hosted.downUntil = timeline.now() + DOWN_MS;
      },
    },
    { name: 'meanwhile a clock is set an hour ahead', happen: () => someProcess()?.setClock(HOUR_MS) },
    { name: 'meanwhile a clock is set an hour back', happen: () => someProcess()?.setClock(-HOUR_MS) },
    {
      name: 'meanwhile the server forgets message ids',
      happen: () => {
        server.inputs.forgetIds();
        server.tasks.forgetIds();
      },
    },
    {
      name: 'meanwhile the server loses a bundle',
      happen: () => {
        const names = [...server.bundles.objects.keys()];
        server.bundles.objects.delete(names[luck.pick('which bundle', Math.max(1, names.length))] ?? '');
      },
    },
    {
      name: 'meanwhile an input comes once more',
      happen: () => {
        const again = inputs[luck.pick('which input', Math.max(1, inputs.length))];
        if (again) server.inputs.store(again.subject, again.payload, `again-${String((moves += 1))}`);
      },
    },
    { name: 'meanwhile something else dies', happen: () => someProcess()?.crash() },
    { name: 'meanwhile something else dies', happen: () => someProcess()?.crash() },
    { name: 'meanwhile something else is paused for 15 s', happen: () => someProcess()?.pause(15_000) },
  ];
}

function shortId(jobId: string): string {
  return jobId.replace(/^job-0+/, 'job ');
}

function pendingOf(job: Job): string {
  return job.pending.map(({ effect }) => (effect.type === 'PublishEvent' ? effect.event.type : effect.type)).join(', ');
}

/** Whether nothing is under way any more: every job has ended, or waits for a person. */
export function isAtRest({ server, jobIds, job }: World): boolean {
  const jobs = jobIds.map(job);
  return (
    jobs.every((one) => one?.pending.length === 0 && (isTerminal(one.status) || one.needs?.kind === 'approval')) &&
    server.requestConsumer.unsettled.size === 0 &&
    server.inputs.messages.size === 0 &&
    server.tasks.messages.size === 0
  );
}

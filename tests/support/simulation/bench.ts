import type { RepoManagerContext } from '../../../src/agents/repo-manager/context.ts';
import { createMirror } from './code.ts';
import { type ForgeWorld } from './forge.ts';
import { givenLuck } from './luck.ts';
import { createProcess, type Incarnation, type Process } from './process.ts';
import { contextOf } from './repo-manager.ts';
import { createServer, type Server } from './server.ts';
import { createTimeline, type Timeline } from './timeline.ts';

/** The ports of a repo-manager on the simulated world, for tests that call one part of it by hand. Nothing goes wrong by itself. */
export interface Bench {
  readonly timeline: Timeline;
  readonly server: Server;
  readonly forge: ForgeWorld;
  readonly process: Process;
  readonly self: Incarnation;
  readonly context: RepoManagerContext;
  /** Lets time pass until the promise has settled, and gives what it gives. */
  until<T>(work: Promise<T>): Promise<T>;
}

export function createBench(name = 'repo-manager-1'): Bench {
  const timeline = createTimeline();
  const luck = givenLuck(new Map());
  const server = createServer(
    timeline,
    () => undefined,
    () => undefined,
    () => undefined,
  );
  const base = server.commits.make({ parents: [], tree: { 'README.md': '# app' }, message: 'first' }).id;
  const forge: ForgeWorld = {
    hosted: { base, branches: new Map(), changeRequests: [], publishing: new Map(), isDirty: false, downUntil: 0 },
    commits: server.commits,
    mirror: createMirror(server.commits),
    onLanded: () => undefined,
  };
  const around = { timeline, luck, misfortune: 0, incidents: [], tell: () => undefined };
  const process = createProcess(around, name, () => undefined);
  const self = process.current();
  if (!self) throw new Error('the process did not start');
  const context = contextOf(self, { server, forge, luck, onCancelled: () => undefined });
  return {
    timeline,
    server,
    forge,
    process,
    self,
    context,
    until: async (work) => {
      let settled = false;
      const settle = (): void => {
        settled = true;
      };
      work.then(settle, settle);
      // What it asks first it may ask only after a few reactions.
      await new Promise((resolve) => setImmediate(resolve));
      const end = await timeline.run(Number.POSITIVE_INFINITY, () => settled);
      if (end !== 'done') throw new Error('it waits for what will never happen');
      return work;
    },
  };
}

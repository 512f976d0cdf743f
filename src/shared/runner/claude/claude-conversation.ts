import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { forgetSession, readSession, writeSession } from '../cli/session-record.ts';
import { removeTree } from '../../git/remove.ts';
import type { RunnerTask } from '../runner.ts';
import type { ClaudeState } from './claude-events.ts';
import { resumesAnywhere } from './claude-version.ts';

/** The conversation that a job's runner has with Claude Code, from round to round. */
export interface ClaudeConversation {
  /** `CLAUDE_CONFIG_DIR`: the CLI and its tools may write it. */
  readonly configFolder: string;
  /** The conversation to go on with; undefined: begin one. */
  readonly sessionId: string | undefined;
  /** The next run goes on with what this one said. */
  keep(state: ClaudeState): Promise<void>;
  /** The next run begins anew. */
  forget(): Promise<void>;
}

const KIND = 'claude';
const CONFIG = 'claude';
/** Where the CLI keeps conversations. All else in its folder is made anew: no tool of one round is to configure the CLI of the next. */
const CONVERSATIONS = 'projects';

/**
 * Opens the conversation in `task.sessions`. A workspace is another folder in each attempt, and Claude Code before 2.1.329 finds a conversation
 * only from the folder it was begun in: there each attempt begins anew, while the tries within one go on. Later ones tell the model that it has moved.
 */
export async function openConversation(task: RunnerTask): Promise<ClaudeConversation> {
  const configFolder = join(task.sessions, CONFIG);
  await mkdir(configFolder, { recursive: true, mode: 0o700 });
  await clearConfig(configFolder);
  const record = await readSession(task.sessions, KIND);
  const isFound = record !== undefined && (record.cwd === task.workspace || resumesAnywhere(record.version));
  return {
    configFolder,
    sessionId: isFound ? record.sessionId : undefined,
    keep: async ({ sessionId, version }) => {
      if (sessionId === undefined) return;
      await writeSession(task.sessions, { cli: KIND, sessionId, cwd: task.workspace, ...(version === undefined ? {} : { version }) });
    },
    forget: () => forgetSession(task.sessions),
  };
}

async function clearConfig(folder: string): Promise<void> {
  const others = (await readdir(folder)).filter((name) => name !== CONVERSATIONS);
  for (const name of others) await remove(join(folder, name));
}

/** `removeTree` takes a folder; a file, or a link, is removed as it is. */
async function remove(path: string): Promise<void> {
  await rm(path).catch(() => removeTree(path));
}

import { z } from 'zod';
import { type RepositorySettings, SettingsFile } from '../../shared/domain/feature.ts';
import type { CommitId } from '../../shared/domain/ids.ts';
import { TerminalError } from '../../shared/errors/errors.ts';
import type { Commits } from './commits.ts';
import { detectCommands } from './detect-commands.ts';

const SETTINGS_FILE = '.multi-agent.json';

/**
 * The settings on the base branch, never those of the change: what a change says about its own checks counts for nothing. Where nothing is said
 * about checks, they are detected; `"checks": []` says that there are none.
 *
 * @throws TerminalError `settings_invalid` naming every fault
 */
export async function readSettings(commits: Commits, commit: CommitId): Promise<RepositorySettings> {
  const names = new Set(await commits.rootFiles(commit));
  const read = (name: string): Promise<string | null> => commits.readFile(commit, name);
  const { setup, checks, ...rest } = parsed(names.has(SETTINGS_FILE) ? await read(SETTINGS_FILE) : null);
  if (checks !== undefined) return { ...rest, setup: setup ?? [], checks };
  const detected = await detectCommands(names, read);
  return { ...rest, setup: setup ?? detected.setup, checks: detected.checks, ...(detected.checks.length > 0 ? { detected: true } : {}) };
}

function parsed(text: string | null): SettingsFile {
  if (text === null) return SettingsFile.parse({});
  const file = SettingsFile.safeParse(jsonIn(text));
  if (file.success) return file.data;
  throw new TerminalError('settings_invalid', `${SETTINGS_FILE} on the base branch is not valid:\n${z.prettifyError(file.error)}`);
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new TerminalError('settings_invalid', `${SETTINGS_FILE} on the base branch is not JSON: ${String(error)}`, { cause: error });
  }
}

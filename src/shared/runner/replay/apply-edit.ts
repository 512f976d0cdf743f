import { TerminalError } from '../../errors/errors.ts';
import type { RunnerTask } from '../runner.ts';
import { openWorkspaceFile } from '../workspace-file.ts';
import type { RecordedEdit } from './recording.ts';
import { resolveMarkers } from './resolve-markers.ts';

/**
 * Carries out one edit in the task's workspace.
 *
 * Throws `TerminalError` `path_refused` (see `openWorkspaceFile`), and `runner_failed` where the edit does not fit the
 * file that is there.
 */
export async function applyEdit(task: Pick<RunnerTask, 'workspace' | 'context'>, edit: RecordedEdit): Promise<void> {
  if ('resolve' in edit) {
    const paths = edit.path === undefined ? (task.context.conflicts ?? []).map((file) => file.path) : [edit.path];
    for (const path of paths) await change(task.workspace, path, (text) => resolveMarkers(text, edit.resolve));
    return;
  }
  const file = await openWorkspaceFile(task.workspace, edit.path);
  if ('delete' in edit) await file.remove();
  else if ('content' in edit) await file.write(edit.content);
  else if ('append' in edit) await file.write(((await file.read()) ?? '') + edit.append);
  else await change(task.workspace, edit.path, (text) => replaced(edit.path, text, edit.replace));
}

async function change(workspace: string, path: string, changed: (text: string) => string): Promise<void> {
  const file = await openWorkspaceFile(workspace, path);
  const text = await file.read();
  if (text !== undefined) await file.write(changed(text));
  else throw new TerminalError('runner_failed', `the recording does not fit: there is no file ${path} to change`);
}

function replaced(path: string, text: string, { from, to }: { readonly from: string; readonly to: string }): string {
  // An entry that is played again in a later round finds its own work done. (An empty `to` is in every text.)
  if (text.includes(from)) return text.replace(from, () => to);
  if (text.includes(to)) return text;
  throw new TerminalError('runner_failed', `the recording does not fit: ${path} does not hold the text to be replaced`);
}

import path from 'node:path';
import { readPlainFile } from './plain-file.ts';

const MARKER = /^(?:<{7}|\|{7}|>{7})(?: |\r?$)/m;

/** Which of these files still hold conflict markers. What is no plain file (any more) holds none. */
export async function leftConflictMarkers(tree: string, paths: readonly string[]): Promise<string[]> {
  const marked = await Promise.all(paths.map(async (name) => MARKER.test(await readPlainFile(path.join(tree, name)))));
  return paths.filter((_, at) => marked[at] === true);
}

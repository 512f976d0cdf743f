import { access, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

export type FoundRepository = { readonly type: 'found'; readonly path: string } | { readonly type: 'none'; readonly reason: string };

/**
 * The git repository at a path, bare or checked out, under its real name: two ways to write one path are one repository. Looks at files
 * only: git itself is not asked, it would obey what it finds there.
 */
export async function findRepository(path: string): Promise<FoundRepository> {
  const real = await realpath(path).catch(() => undefined);
  if (real === undefined) return { type: 'none', reason: `there is no ${path}` };
  if (!(await stat(real)).isDirectory()) return { type: 'none', reason: `${path} is no folder` };
  if (basename(real) === '.git' && (await isGitDir(real))) return { type: 'found', path: dirname(real) };
  if ((await exists(join(real, '.git'))) || (await isGitDir(real))) return { type: 'found', path: real };
  const top = await enclosing(dirname(real));
  const hint = top === undefined ? `make it one with "git init ${path}"` : `did you mean ${top}?`;
  return { type: 'none', reason: `${path} is no git repository; ${hint}` };
}

async function isGitDir(path: string): Promise<boolean> {
  const parts = await Promise.all(['HEAD', 'objects', 'refs'].map((name) => exists(join(path, name))));
  return parts.every(Boolean);
}

async function enclosing(path: string): Promise<string | undefined> {
  if (await exists(join(path, '.git'))) return path;
  return dirname(path) === path ? undefined : enclosing(dirname(path));
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

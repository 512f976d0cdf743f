import { existsSync, realpathSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join, relative } from 'node:path';
import { findProgram } from '../find-program.ts';

/** Something of the machine that a sandbox shows, at the same place, and read-only. */
export type Shown =
  { readonly kind: 'bind'; readonly path: string } | { readonly kind: 'link'; readonly path: string; readonly target: string };

export interface ShownOptions {
  /** The words of the command line, as the operator wrote them. */
  readonly argv: readonly string[];
  /** Where its program is looked for. */
  readonly path: string;
  /** Folders nothing of which is ever shown, though it is asked for, or something around them: the system's home. */
  readonly hidden: readonly string[];
}

/** Mounted as they are, so that nothing in them has to be shown once more. */
const SYSTEM = ['/usr', '/bin', '/sbin', '/lib', '/lib64'];
const PACKAGE_FILE = 'package.json';

/**
 * What a command line of the operator's needs to be seen: its executable and every absolute path in it, each with the package it is part of
 * (a script takes modules that lie beside it), and Node.js where it does not belong to the system.
 *
 * A package that has a hidden folder in it, or the whole of somebody's home, is not shown: then the file alone is.
 */
export function shownFor({ argv, path, hidden }: ShownOptions): Shown[] {
  const guarded = [...hidden, homedir()].map(realPathOf);
  const [program = '', ...words] = argv;
  const asked = [program.includes('/') ? program : findProgram(program, path), ...words, process.execPath];
  const isHidden = (item: string): boolean => hidden.map(realPathOf).some((folder) => isWithin(realPathOf(item), folder));
  const shown = new Map<string, Shown>();
  for (const item of asked)
    if (item !== undefined && isAbsolute(item) && existsSync(item) && !isHidden(item))
      for (const one of pathsOf(item, guarded)) shown.set(one.path, one);
  return [...shown.values()].sort((one, other) => one.path.length - other.path.length);
}

function pathsOf(asked: string, guarded: readonly string[]): Shown[] {
  const real = realPathOf(asked);
  if (guarded.some((folder) => isWithin(folder, real) || folder === real)) return [];
  const link: Shown[] = real === asked || isOfSystem(asked) ? [] : [{ kind: 'link', path: asked, target: real }];
  if (isOfSystem(real)) return link;
  const bind = { kind: 'bind', path: rootOf(real, guarded) } as const;
  // A link within what is bound is there already.
  return isWithin(asked, bind.path) ? [bind] : [...link, bind];
}

/** The folder of the package that a file is part of, the installation of a Node.js of its own, or the file itself. */
function rootOf(file: string, guarded: readonly string[]): string {
  const start = statSync(file).isDirectory() ? file : dirname(file);
  for (let folder = start; dirname(folder) !== folder; folder = dirname(folder)) {
    if (guarded.some((one) => one === folder || isWithin(one, folder))) return file;
    if (existsSync(join(folder, PACKAGE_FILE)) || isNodeInstallation(folder)) return folder;
  }
  return file;
}

function isNodeInstallation(folder: string): boolean {
  return existsSync(join(folder, 'bin/node')) && existsSync(join(folder, 'lib/node_modules'));
}

function isOfSystem(path: string): boolean {
  return SYSTEM.some((folder) => path === folder || isWithin(path, folder));
}

/** Whether a path lies in a folder. */
export function isWithin(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way !== '' && way !== '..' && !way.startsWith('../');
}

/** With no link in it; as it is where there is nothing. */
function realPathOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

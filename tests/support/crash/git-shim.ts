import { execFileSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { armedFile, callsFile, firedFile } from './armed-point.ts';

/**
 * A `git` for the PATH of one role's daemons that can end its parent before or after the real one has run: git's own steps
 * are crash points like any other. Gives the folder for PATH. The call is named `git <subcommand>`.
 *
 * A file holds what is armed, as JSON in the order that `armPoint` gives it; the names of git's subcommands need no escapes.
 */
export async function makeGitShim(folder: string, role: string): Promise<string> {
  const bin = join(folder, `bin-${role}`);
  await mkdir(bin, { recursive: true });
  const git = execFileSync('which', ['git'], { encoding: 'utf8' }).trim();
  const script = `#!/bin/sh
# The first word that is no option of git's own is the subcommand.
skip=
for word in "$@"; do
  if [ -n "$skip" ]; then skip=; continue; fi
  case "$word" in
    -c) skip=1 ;;
    -*) ;;
    *) name=$word; break ;;
  esac
done
echo "before git $name" >> '${callsFile(folder, role)}'
read -r armed 2>/dev/null < '${armedFile(folder, role)}'
# Most calls are not the one, and there are many: no more processes than the real one.
case "$armed" in *"\\"git $name\\""*) ;; *) exec '${git}' "$@" ;; esac
times=$(grep -c "^before git $name$" '${callsFile(folder, role)}')
harm() {
  mv '${armedFile(folder, role)}' '${firedFile(folder, role)}' 2>/dev/null || return 1
  case "$armed" in *'"pause"'*) kill -STOP $PPID ;; *) kill -KILL $PPID ;; esac
}
case "$armed" in
  *"\\"git $name\\""*'"before"'*"\\"nth\\":$times}") harm && case "$armed" in *'"kill"'*) exit 137 ;; esac ;;
  *"\\"git $name\\""*'"after"'*"\\"nth\\":$times}") '${git}' "$@"; status=$?; harm; exit $status ;;
esac
exec '${git}' "$@"
`;
  await writeFile(join(bin, 'git'), script, { mode: 0o755 });
  return bin;
}

import { attack, type HostileRepository, WORK } from './hostile-repository.ts';

/** What a runner can leave as files. */
export const HOSTILE_TREES: readonly HostileRepository[] = [
  {
    name: 'a link to a file outside',
    change: ({ secretFile }) => `${WORK}; ln -s ${secretFile} link`,
    ends: 'symlink_refused',
    naively: 'reads',
  },
  {
    name: 'a link up and out',
    change: ({ secretFile }) => `${WORK}; mkdir d; ln -s ../../../../../../../..${secretFile} d/link`,
    ends: 'symlink_refused',
    naively: 'reads',
  },
  { name: 'a link to what the reader is', change: () => `${WORK}; ln -s /proc/self/environ link`, ends: 'symlink_refused' },
  {
    name: 'a folder that is a link to one outside',
    files: () => ({ 'd/file': 'own\n' }),
    change: ({ secretFile }) => `${WORK}; rm -r d; ln -s "$(dirname ${secretFile})" d`,
    ends: 'symlink_refused',
    naively: 'reads',
  },
  {
    name: 'a link to a folder outside by way of another link',
    change: ({ secretFile }) => `${WORK}; ln -s / root; ln -s root${secretFile} link`,
    ends: 'symlink_refused',
    naively: 'reads',
  },
  {
    name: 'a repository in the repository',
    change: (bait) =>
      `${WORK}; git init -q nested; printf '${attack(bait, 'nested')}' > attack.sh; chmod +x attack.sh
       git -C nested config core.fsmonitor "$PWD/attack.sh"; echo x > nested/x; git -C nested add x; git -C nested commit -qm x`,
    ends: 'submodule_refused',
    naively: 'executes',
  },
  {
    name: 'a submodule with a program for an address',
    change: ({ canaries }) =>
      `${WORK}; printf '[submodule "x"]\\n\\tpath = ../../x\\n\\turl = ext::sh -c "touch ${canaries}/ext"\\n\\tupdate = !touch ${canaries}/update\\n' > .gitmodules`,
    ends: 'recorded',
  },
  {
    name: 'a .GIT',
    change: (bait) => `${WORK}; mkdir .GIT; printf '[core]\\n\\tfsmonitor = touch ${bait.canaries}/case\\n' > .GIT/config`,
    ends: 'submodule_refused',
  },
  {
    name: 'a git~1',
    change: (bait) => `${WORK}; mkdir git~1; printf '[core]\\n\\tfsmonitor = touch ${bait.canaries}/short\\n' > git~1/config`,
    ends: 'recorded',
  },
  {
    name: 'a .git with an invisible character',
    change: () => `${WORK}; mkdir $'.g\\u200cit'; echo x > $'.g\\u200cit/config'`,
    ends: 'recorded',
  },
  {
    name: 'names that are options, commands and lines',
    change: ({ canaries }) =>
      `${WORK}; n=$(dirname ${canaries}); touch -- '--upload-pack=touch canary' '-f' '$(touch canary)' '\`touch canary\`' ':(top)' $'two\\nlines' $'\\e[2J' $'\\xff' '|touch canary'`,
    ends: 'recorded',
  },
  {
    name: 'many files, and folders in folders',
    change: () =>
      `mkdir many; (cd many; for n in {1..1000}; do : > $n; done); deep=$(printf 'd/%.0s' {1..300}); mkdir -p $deep; echo x > $deep/file`,
    ends: 'recorded',
  },
  {
    name: 'pipes and sockets',
    change: () => `${WORK}; mkfifo pipe; perl -e 'use Socket; socket(S, AF_UNIX, SOCK_STREAM, 0); bind S, pack_sockaddr_un("socket")'`,
    ends: 'recorded',
  },
  {
    name: 'pipes where git looks for what it ignores, and how it takes a file',
    change: () => `${WORK}; mkdir -p d/$'\\xff'; mkfifo .gitignore .gitattributes d/$'\\xff'/.gitignore; echo x > d/$'\\xff'/x`,
    ends: 'recorded',
  },
  {
    name: 'a pipe in place of a file',
    files: () => ({ 'a.txt': 'a\n' }),
    change: () => `${WORK}; rm a.txt; mkfifo a.txt`,
    ends: 'git_failed',
  },
  { name: 'devices', change: () => `${WORK}; mknod null c 1 3; mknod disk b 7 0`, ends: 'recorded' },
  {
    name: 'folders and files that nobody may read',
    change: () => `${WORK}; mkdir -p shut/in; echo x > shut/in/x; chmod 000 shut/in/x shut/in shut`,
    ends: 'recorded',
  },
  {
    name: 'a file that cannot be changed, one that makes root',
    change: () => `${WORK}; cp /bin/true program; chmod 6755 program; chattr +i work.txt`,
    ends: 'recorded',
  },
  { name: 'a file of a terabyte', change: () => `${WORK}; truncate --size 1T large`, ends: 'recorded' },
  {
    name: 'settings of git and npm',
    change: (bait) =>
      `${WORK}; printf '[core]\\n\\tfsmonitor = touch ${bait.canaries}/gitconfig\\n' | tee .gitconfig > .config; printf 'script-shell=touch ${bait.canaries}/npmrc\\n' > .npmrc`,
    ends: 'recorded',
  },
];

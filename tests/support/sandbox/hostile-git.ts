import { attack, type HostileRepository, WORK } from './hostile-repository.ts';

/** All that a runner can plant in the `.git` it finds, or in place of it. */
export const HOSTILE_GIT: readonly HostileRepository[] = [
  {
    name: 'hooks',
    change: (bait) =>
      `${script(attack(bait, 'hook'))}; mkdir -p .git/hooks; for hook in pre-commit post-commit post-checkout post-index-change reference-transaction pre-auto-gc
       do cp $SCRIPT .git/hooks/$hook; done; rm $SCRIPT; ${WORK}`,
    ends: 'recorded',
    naively: 'executes',
  },
  {
    name: 'hooks in a folder of the change',
    change: (bait) => `${script(attack(bait, 'hooks-path'), 'hooks/pre-commit')}; git config core.hooksPath hooks; ${WORK}`,
    ends: 'recorded',
    naively: 'executes',
  },
  {
    name: 'a monitor of files',
    change: (bait) => `${script(attack(bait, 'fsmonitor'))}; git config core.fsmonitor ./attack.sh; ${WORK}`,
    ends: 'recorded',
    naively: 'executes',
  },
  {
    name: 'filters',
    change: (bait) =>
      `${script(attack(bait, 'filter'))}; git config filter.x.clean ./attack.sh; git config filter.x.smudge ./attack.sh
       echo '*.txt filter=x' > .gitattributes; ${WORK}`,
    ends: 'recorded',
    naively: 'executes',
  },
  {
    name: 'a filter process of attributes that are no file of the tree',
    change: (bait) =>
      `${script(attack(bait, 'process'))}; git config filter.x.process ./attack.sh; mkdir -p .git/info; echo '*.txt filter=x' > .git/info/attributes; ${WORK}`,
    ends: 'recorded',
    naively: 'executes',
  },
  {
    name: 'drivers of differences',
    change: (bait) =>
      `${script(attack(bait, 'diff'))}; git config diff.external ./attack.sh; git config diff.x.textconv ./attack.sh; git config diff.x.command ./attack.sh
       echo '*.txt diff=x' > .gitattributes; ${WORK}; git add -A`,
    ends: 'recorded',
    naively: 'executes',
  },
  {
    name: 'an included configuration',
    change: (bait) =>
      `${script(attack(bait, 'include'))}; git config include.path ../included; printf '[core]\\n\\tfsmonitor = ./attack.sh\\n' > included; ${WORK}`,
    ends: 'recorded',
    naively: 'executes',
  },
  {
    name: 'a program that signs, one that edits, one that pages',
    change: (bait) =>
      `${script(attack(bait, 'sign'))}; git config commit.gpgSign true; git config gpg.program ./attack.sh; git config core.editor ./attack.sh
       git config core.pager ./attack.sh; git config core.sshCommand ./attack.sh; git config credential.helper '!./attack.sh'; ${WORK}`,
    ends: 'recorded',
    naively: 'executes',
  },
  {
    name: 'a .git that points to a repository in the tree',
    change: (bait) =>
      `${script(attack(bait, 'gitdir'))}; mv .git elsewhere; git --git-dir elsewhere config core.fsmonitor ./attack.sh; echo 'gitdir: elsewhere' > .git; ${WORK}`,
    ends: 'recorded',
    naively: 'executes',
  },
  {
    name: 'a .git that is a link',
    change: (bait) =>
      `${script(attack(bait, 'git-link'))}; mv .git elsewhere; git --git-dir elsewhere config core.fsmonitor ./attack.sh; ln -s elsewhere .git; ${WORK}`,
    ends: 'recorded',
    naively: 'executes',
  },
  {
    name: 'a .git that points to another repository',
    change: ({ privateRepository }) => `rm -rf .git; echo 'gitdir: ${privateRepository}/.git' > .git; ${WORK}`,
    ends: 'recorded',
    naively: 'reads',
  },
  {
    name: 'a work tree elsewhere',
    change: ({ secretFile }) => `${WORK}; git config core.worktree "$(dirname ${secretFile})"`,
    ends: 'recorded',
    naively: 'reads',
  },
  {
    name: 'a folder that is shared with another repository',
    change: ({ privateRepository }) =>
      `rm -rf .git/refs .git/objects .git/packed-refs; echo 'ref: refs/heads/main' > .git/HEAD; echo ${privateRepository}/.git > .git/commondir; ${WORK}`,
    ends: 'recorded',
    naively: 'reads',
  },
  {
    name: 'objects of another repository, by alternates',
    change: ({ privateRepository, privateCommit }) =>
      `echo ${privateRepository}/.git/objects >> .git/objects/info/alternates; echo ${privateCommit} > .git/HEAD; ${WORK}`,
    ends: 'recorded',
    naively: 'reads',
  },
  {
    name: 'branches of another repository, by a link',
    change: ({ privateRepository }) =>
      `echo ${privateRepository}/.git/objects >> .git/objects/info/alternates; rm -r .git/refs/heads; ln -s ${privateRepository}/.git/refs/heads .git/refs/heads
       echo 'ref: refs/heads/main' > .git/HEAD; ${WORK}`,
    ends: 'recorded',
    naively: 'reads',
  },
  {
    name: 'objects of another repository, by links',
    change: ({ privateRepository, privateCommit }) =>
      `rm -rf .git/objects/??; for n in {0..255}; do printf -v two %02x $n; ln -s ${privateRepository}/.git/objects/$two .git/objects/$two; done
       echo ${privateCommit} > .git/HEAD; ${WORK}`,
    ends: 'recorded',
    naively: 'reads',
  },
  {
    name: 'replaced commits and grafts',
    change: ({ privateCommit }) =>
      `own=$(git rev-parse HEAD); mkdir -p .git/refs/replace; echo ${privateCommit} > .git/refs/replace/$own; echo $own ${privateCommit} > .git/info/grafts; ${WORK}`,
    ends: 'recorded',
  },
  {
    name: 'an index that names what is not there',
    change: ({ privateCommit }) =>
      `git update-index --add --cacheinfo 160000,${privateCommit},module; git update-index --add --cacheinfo 120000,${privateCommit},out; ${WORK}`,
    ends: 'recorded',
  },
  {
    name: 'pipes in place of the files of a repository',
    change: () =>
      `rm .git/HEAD .git/config .git/objects/info/alternates; mkfifo .git/HEAD .git/config .git/objects/info/alternates; ${WORK}`,
    ends: 'recorded',
  },
  {
    name: 'a pipe where git looks for alternates of its commits',
    change: () => `echo x > x; git add x; git commit -qm x; rm .git/objects/info/alternates; mkfifo .git/objects/info/alternates`,
    ends: 'recorded',
  },
  {
    name: 'commits and branches with control characters',
    change: () =>
      `${WORK}; git add -A; git commit -qm $'\\e]0;title\\a\\e[2J\\x01 text'; git update-ref $'refs/heads/\\u202edrow' HEAD; printf 'ref: refs/heads/\\n\\e[31m' > .git/HEAD`,
    ends: 'recorded',
  },
];

function script(text: string, file = 'attack.sh'): string {
  return `SCRIPT=${file}; mkdir -p "$(dirname ${file})"; printf '${text}' > ${file}; chmod +x ${file}`;
}

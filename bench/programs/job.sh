#!/bin/sh
# One job as a script without any system does it, with the steps and the runners of a job of ours: the base into a mirror, from there by
# bundle into a cache, a worktree, the coder, a commit, by bundle back, a branch in the repository, the reviewer, a merge commit on
# the newest base, moved by compare-and-swap, the checked-out tree moved along. No queue, no state, no check of what came back.
#   job.sh <repository> <mirror.git> <cache.git> <work folder> <job> <coder> <reviewer>
set -e
repository=$1 mirror=$2 cache=$3 work=$4 job=$5 coder=$6 reviewer=$7
export MULTI_AGENT_JOB_ID="$job" GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1
export GIT_AUTHOR_NAME=bench GIT_AUTHOR_EMAIL=bench@localhost GIT_COMMITTER_NAME=bench GIT_COMMITTER_EMAIL=bench@localhost
branch="multi-agent/$job"
mkdir -p "$work"

git --git-dir="$mirror" fetch -q "$repository/.git" "+refs/heads/main:refs/heads/main"
base=$(git --git-dir="$mirror" rev-parse refs/heads/main)
settings=$(git --git-dir="$mirror" show main:.multi-agent.json 2>/dev/null || true)
git --git-dir="$mirror" bundle create -q "$work/in.bundle" main
git --git-dir="$cache" fetch -q "$work/in.bundle" "+main:refs/heads/base-$job"
git --git-dir="$cache" worktree add -q --detach "$work/tree" "$base"

(cd "$work/tree" && "$coder" >"$work/coder.log")
git -C "$work/tree" add -A
git -C "$work/tree" commit -q -m "A feature $settings"
head=$(git -C "$work/tree" rev-parse HEAD)
git -C "$work/tree" branch -q "head-$job"
git -C "$work/tree" bundle create -q "$work/out.bundle" "$base..head-$job"

git --git-dir="$mirror" bundle verify -q "$work/out.bundle"
git --git-dir="$mirror" fetch -q "$work/out.bundle" "head-$job:refs/heads/$branch"
git --git-dir="$mirror" merge-base --is-ancestor "$base" "$head"
git --git-dir="$mirror" diff --numstat "$base...$head" >"$work/files"
git --git-dir="$mirror" log --format=%H%n%B "$base..$head" >"$work/commits"
git -C "$repository" fetch -q "$mirror" "refs/heads/$branch:refs/heads/$branch"

git --git-dir="$cache" diff "$base...$head" >"$work/diff"
git --git-dir="$cache" worktree add -q --detach "$work/review" "$head"
(cd "$work/review" && "$reviewer" <"$work/diff" >"$work/verdict")
grep -q APPROVE "$work/verdict"

git --git-dir="$mirror" fetch -q "$repository/.git" "+refs/heads/main:refs/heads/main"
newest=$(git --git-dir="$mirror" rev-parse refs/heads/main)
tree=$(git --git-dir="$mirror" merge-tree --write-tree "$newest" "$head")
merge=$(git --git-dir="$mirror" commit-tree "$tree" -p "$newest" -p "$head" -m "Merge: A feature")
git --git-dir="$mirror" update-ref "refs/heads/merge-$job" "$merge"
git -C "$repository" fetch -q "$mirror" "refs/heads/merge-$job"
test -z "$(git -C "$repository" status --porcelain --untracked-files=no)"
git -C "$repository" read-tree -m -u "$newest" "$merge"
printf 'update refs/heads/main %s %s\ndelete refs/heads/%s %s\n' "$merge" "$newest" "$branch" "$head" | git -C "$repository" update-ref --stdin

git --git-dir="$cache" worktree remove --force "$work/tree"
git --git-dir="$cache" worktree remove --force "$work/review"
rm -r "$work"

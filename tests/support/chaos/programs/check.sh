#!/bin/sh
# The check of the scripted repositories. `$1`: the folder of the world, where the tree that was green is written down.
red() {
  echo "$1"
  exit 1
}
[ -e broken ] && red 'broken'
grep -q '^<<<<<<< ' shared.txt && red 'a conflict marker'
[ -z "$(cat numbers/* | sort | uniq -d)" ] || red 'a number is taken twice'
export GIT_INDEX_FILE="$TMPDIR/check-index"
git add -A . && tree=$(git write-tree) || red 'no tree'
echo "$tree" >> "$1/green"

#!/usr/bin/env bash
set -euo pipefail
. "$(dirname "$0")/../system.sh"

mkdir "$work/files" && echo '# app' >"$work/files/README.md"
make_repository "$work/files"
export CODER_COMMAND="sh '$example/coder.sh'" REVIEWER_COMMAND="sh '$example/reviewer.sh'"
start_system

waits() { [ "$1" -eq 6 ] || { echo "exit $1, not 6 (waiting for approval)" >&2; exit 1; }; }
code=0
show multi-agent submit-feature --repo "$work/app" --title 'A greeting' --description 'A file GREETING.txt.' --merge manual --wait || code=$?
waits "$code"
show multi-agent list-jobs --needs-me
job=$(multi-agent list-jobs --needs-me --json | node -p 'JSON.parse(fs.readFileSync(0)).jobs[0].id')

show multi-agent reject "$job" --comment 'A little more polite, please.'
until multi-agent job-status "$job" --json | grep -q '"status":"WAITING_APPROVAL".*"round":2'; do sleep 0.2; done

head=$(multi-agent show "$job" --json | node -p 'JSON.parse(fs.readFileSync(0)).headCommit')
show multi-agent approve "$job" --head "$head"
show multi-agent job-status "$job" --watch
show git -C "$work/app" log --graph --oneline
show cat "$work/app/GREETING.txt"

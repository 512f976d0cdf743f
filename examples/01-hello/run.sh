#!/usr/bin/env bash
set -euo pipefail
. "$(dirname "$0")/../system.sh"

mkdir "$work/files" && echo '# app' >"$work/files/README.md"
make_repository "$work/files"

# A command line is split into words as a shell quotes them, and no shell ever sees it.
export CODER_COMMAND="sh '$example/coder.sh'" REVIEWER_COMMAND="node '$example/reviewer.mjs'"
start_system
show multi-agent submit-feature --repo "$work/app" --title 'Say hello' --description 'A file HELLO.txt.' --wait
show git -C "$work/app" log --graph --oneline
show cat "$work/app/HELLO.txt"

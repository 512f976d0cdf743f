#!/usr/bin/env bash
set -euo pipefail
. "$(dirname "$0")/../system.sh"

mkdir "$work/files" "$work/login" && echo '# app' >"$work/files/README.md"
make_repository "$work/files"
echo 'a login' >"$work/login/.stand-in-login"

cli="sh '$example/any-cli.sh' '$work/login' node '$example/stand-in-cli.mjs'"
export CODER_COMMAND="$cli" REVIEWER_COMMAND="$cli"
start_system
show multi-agent submit-feature --repo "$work/app" --title 'Any CLI' --description 'A line in the README.' --wait
show git -C "$work/app" log --graph --oneline
show cat "$work/app/README.md"

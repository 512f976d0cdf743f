#!/bin/sh
# any-cli.sh <home> <command...>: runs a coding CLI as coder or reviewer, with the home it has its login in.
# The prompt comes on stdin and goes to the command as it is. Not sandboxed: the command can do what you can.
set -eu
HOME=$1
export HOME
shift

if [ "$MULTI_AGENT_ROLE" = coder ]; then
  exec "$@"
fi

# A reviewer has no business with the files: whatever it changes is not looked at, so this is a courtesy and no protection.
# Its last line that is JSON is the verdict: some CLIs say goodbye after it.
out=$(mktemp)
trap 'rm -f "$out"' EXIT
"$@" >"$out" || exit $?
cat "$out"
grep '^{"decision"' "$out" | tail -n 1

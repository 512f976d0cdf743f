#!/bin/sh
# A coder: it is started in a checked-out workspace, and whatever differs when it ends is the change.
# Round 1 forgets something. In a later round MULTI_AGENT_CONTEXT names a file with the reviews so far; this one just takes the hint.
set -eu
prompt=$(cat)
title=$(printf '%s\n' "$prompt" | sed -n 's/^ *Title: //p' | head -n 1)

if [ "$MULTI_AGENT_ROUND" = 1 ]; then
  echo 'Hello!' >HELLO.txt
else
  echo "Hello! ($title)" >HELLO.txt
fi
# The end of stdout is the summary of the change.
echo "HELLO.txt, as of round $MULTI_AGENT_ROUND"

#!/bin/sh
# Stands in for Claude Code: does what the variable FAKE_CLAUDE names. What needs no more than a line is said here, for Node.js takes its time to start.
say() {
  printf '{"type":"assistant","message":{"content":[{"type":"text","text":"%s"}]}}\n' "$1"
}
case "$FAKE_CLAUDE" in
  silent)
    (sleep 300 & sleep 300) &
    say started
    while :; do sleep 300; done
    ;;
  chatter)
    while :; do
      say "still here"
      sleep 0.05
    done
    ;;
  *) exec node "$(dirname "$(readlink -f "$0")")/claude.mjs" "$@" ;;
esac

#!/bin/sh
# The reviewers of the scripted world; see coder.sh.
folder=$1
read -r behaviour < "$folder/jobs/$MULTI_AGENT_JOB_ID"
echo "review $MULTI_AGENT_JOB_ID $MULTI_AGENT_ROUND $MULTI_AGENT_ATTEMPT" >> "$folder/runs"
refuse='{"decision":"REQUEST_CHANGES","summary":"not yet","comments":[{"path":"README.md","line":1,"severity":"error","body":"do better"}]}'

case "$behaviour" in
  two-rounds) if [ "$MULTI_AGENT_ROUND" = 1 ]; then echo "$refuse"; exit 0; fi ;;
  never) echo "$refuse"; exit 0 ;;
  comment) echo '{"decision":"COMMENT","summary":"hard to say","comments":[]}'; exit 0 ;;
  mumble) echo 'well, I do not know'; exit 0 ;;
esac
echo '{"decision":"APPROVE","summary":"fine","comments":[]}'

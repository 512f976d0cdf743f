#!/bin/sh
# Approves; a job with a file `two-rounds-<id>` only in its second round.
folder=$1
echo "review $MULTI_AGENT_JOB_ID $MULTI_AGENT_ROUND $MULTI_AGENT_ATTEMPT" >> "$folder/runs"
while [ -e "$folder/hold-review" ]; do sleep 0.05; done
if [ -e "$folder/two-rounds-$MULTI_AGENT_JOB_ID" ] && [ "$MULTI_AGENT_ROUND" = 1 ]; then
  echo '{"decision":"REQUEST_CHANGES","summary":"not yet","comments":[{"path":"README.md","line":1,"severity":"error","body":"do better"}]}'
else
  echo '{"decision":"APPROVE","summary":"fine","comments":[]}'
fi

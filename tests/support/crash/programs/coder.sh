#!/bin/sh
# Writes one file. `$1`: the folder of the test. Says when it starts and when it ends; waits while there is a file `hold`.
folder=$1
name="$MULTI_AGENT_JOB_ID $MULTI_AGENT_ROUND $MULTI_AGENT_ATTEMPT"
echo "start $name" >> "$folder/runs"
mkdir -p work
echo "round $MULTI_AGENT_ROUND" > "work/$MULTI_AGENT_JOB_ID-$MULTI_AGENT_ROUND.txt"
while [ -e "$folder/hold" ] || [ -e "$folder/hold-$MULTI_AGENT_ATTEMPT" ]; do sleep 0.05; done
echo "end $name" >> "$folder/runs"
echo 'wrote a file'

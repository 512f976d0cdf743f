#!/bin/sh
# A coder that says when it was started, waits while the file $BENCH_HOLD is there, and writes one file.
if [ -n "$BENCH_STAMPS" ]; then echo "$(date +%s%N) $MULTI_AGENT_JOB_ID" >>"$BENCH_STAMPS"; fi
if [ -n "$BENCH_HOLD" ]; then while [ -e "$BENCH_HOLD" ]; do sleep 0.05; done; fi
echo "by $MULTI_AGENT_JOB_ID" >"work-$MULTI_AGENT_JOB_ID.txt"
echo 'wrote one file'

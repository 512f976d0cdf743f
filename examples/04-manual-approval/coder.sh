#!/bin/sh
# Writes a greeting; a rejection is a review like any other, and the context has it.
set -eu
comment=$(node -p 'JSON.parse(fs.readFileSync(process.env.MULTI_AGENT_CONTEXT)).reviews.at(-1)?.decision ?? ""')
if [ "$comment" = REQUEST_CHANGES ]; then echo 'Good morning.' >GREETING.txt; else echo 'hey' >GREETING.txt; fi
echo "GREETING.txt, as of round $MULTI_AGENT_ROUND"

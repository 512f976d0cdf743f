#!/bin/sh
# A reviewer that finds nothing wrong.
echo '{"decision":"APPROVE","summary":"fine","comments":[]}'

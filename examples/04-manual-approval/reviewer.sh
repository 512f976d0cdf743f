#!/bin/sh
# Approves everything: here the last word is a person's.
cat >/dev/null
echo '{"decision":"APPROVE","summary":"A greeting."}'

#!/bin/sh
# Starts a child and a grandchild, says "started", and hangs; ignores SIGTERM with "stubborn" as its first argument.
if [ "$1" = stubborn ]; then trap '' TERM; fi
(sleep 300 & sleep 300) &
echo "started"
while :; do sleep 300; done

#!/bin/sh
# Leaves processes behind that left its session and its family, and hold its pipes open; then ends well.
setsid sh -c 'trap "" TERM; while :; do sleep 300; done' &
(setsid sleep 300 &)
while [ "$(ps -o sid= -p $! | tr -d ' ')" = "$$" ]; do sleep 0.01; done
echo "done"

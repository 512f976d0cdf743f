#!/bin/sh
# Never ends, and never stops talking: only the wall limit ends it.
while :; do
  echo "still here"
  sleep 0.05
done

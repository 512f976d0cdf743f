#!/bin/sh
# Prints the numbers from 1 to its first argument, a line each.
i=1
while [ "$i" -le "$1" ]; do
  echo "$i"
  i=$((i + 1))
done

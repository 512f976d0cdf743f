#!/bin/sh
# The coders of the scripted world. `$1`: its folder; the first word of `jobs/<id>` in it says what to do. Little but what the
# shell itself can do is started, so that a thousand of these cost little.
folder=$1
id=$MULTI_AGENT_JOB_ID
round=$MULTI_AGENT_ROUND
read -r behaviour < "$folder/jobs/$id"
echo "start $id $round $MULTI_AGENT_ATTEMPT" >> "$folder/runs"

work() {
  [ -d work ] || mkdir work
  echo "round $round" > "work/$id-$round.txt"
}

# Whether nobody has run this job's coder before.
first() {
  mkdir "$folder/marks/$id" 2>/dev/null
}

case "$behaviour" in
  append)
    if grep -q '^<<<<<<< ' shared.txt; then
      sed -e '/^|||||||/,/^=======/d' -e '/^<<<<<<< /d' -e '/^>>>>>>> /d' shared.txt > "$TMPDIR/shared"
      cat "$TMPDIR/shared" > shared.txt
    fi
    grep -q "^$id\$" shared.txt || echo "$id" >> shared.txt
    ;;
  number)
    rm -f "numbers/$id"
    set -- numbers/*
    echo $(($# + 1)) > "numbers/$id"
    ;;
  broken) work; echo red > broken ;;
  broken-first)
    work
    if [ "$MULTI_AGENT_TRY" = 1 ]; then echo red > broken; else rm -f broken; fi
    ;;
  unavailable) exit 75 ;;
  unavailable-first) if first; then exit 75; fi; work ;;
  hang) sleep 600 ;;
  hang-first) if first; then sleep 600; fi; work ;;
  flood) yes 'a line that nobody wants to read, and that comes again and again' | head -c 12000000; work ;;
  leave-behind) setsid sleep 600 > /dev/null 2>&1 & work ;;
  fail) echo 'no idea how to do that' >&2; exit 1 ;;
  nothing) ;;
  hold) work; while [ -e "$folder/hold" ]; do sleep 0.05; done ;;
  *) work ;;
esac
echo "end $id $round $MULTI_AGENT_ATTEMPT" >> "$folder/runs"
echo 'done'

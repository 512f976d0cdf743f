# Sourced by each example's run.sh: a system of the example's own, in a temporary folder, that ends with the script. A system of yours that
# runs already is not touched. NATS_PORT is used where it is set, else a free port.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
example=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/multi-agent-example-XXXXXX")
system=

# In a clone: installs and builds what is missing. An installed package has no such script, and needs none.
if [ -f "$root/scripts/bootstrap.mjs" ]; then node "$root/scripts/bootstrap.mjs"; fi

unset NATS_URL NATS_CREDS NATS_NKEY_FILE CODER_RUNNER REVIEWER_RUNNER
export MULTI_AGENT_HOME="$work/home" PM2_HOME="$work/pm2"
export NATS_PORT="${NATS_PORT:-$(node -e 'const s=require("net").createServer().listen(0,"127.0.0.1",()=>{console.log(s.address().port);s.close()})')}"

multi-agent() { node "$root/dist/cli/main.js" "$@"; }

show() { printf '\n$ %s\n' "$*"; "$@"; }

# Starts the daemons with the runners of the environment. `--foreground`: without PM2, so that they end with this script.
start_system() {
  node "$root/dist/cli/main.js" up --foreground "$@" >"$work/up.log" 2>&1 &
  system=$!
  until grep -q '^up:' "$work/up.log"; do
    if ! kill -0 "$system" 2>/dev/null; then cat "$work/up.log" >&2; exit 3; fi
    sleep 0.1
  done
  tail -n 1 "$work/up.log"
}

# A repository with what lies in "$1" as its first commit.
make_repository() {
  cp -R "$1" "$work/app"
  git -C "$work/app" init --quiet --initial-branch=main
  git -C "$work/app" add --all
  git -C "$work/app" -c user.name=You -c user.email=you@example.com -c commit.gpgSign=false commit --quiet --message 'a beginning'
}

finish() {
  if [ -n "$system" ]; then kill "$system" 2>/dev/null; wait "$system" 2>/dev/null; fi
  rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT TERM

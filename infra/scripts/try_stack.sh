#!/usr/bin/env bash
# Starts the whole product on this machine, tries it with the smoke test, and ends it. Words go to dev.up:
#   try_stack.sh --host func --event-hubs emulator     with Microsoft's own host and emulator
# BASE: the first of its ports
set -euo pipefail
cd "$(dirname "$0")/../.."
make setup
base=${BASE:-8400} log=.local/logs/try_stack.log
mkdir -p .local/logs
.venv/bin/python -m dev.up --no-prepare --base "$base" "$@" >"$log" 2>&1 &
up=$!
end() {
  kill -INT "$up" 2>/dev/null || true
  wait "$up" || true
}
trap end EXIT
until grep -q 'Serial console:' "$log"; do
  kill -0 "$up" 2>/dev/null || { cat "$log"; echo "the stack did not come up; see .local/logs" >&2; exit 1; }
  sleep 1
done
make smoke BASE="$base"

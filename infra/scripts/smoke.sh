#!/usr/bin/env bash
# The smoke test against what was just deployed; SMOKE_VM is the resource id of a running VM.
#   smoke.sh OUTPUTS.json
set -euo pipefail
outputs=$(realpath "${1:?"usage: smoke.sh OUTPUTS.json"}")
: "${SMOKE_VM:?resource id of a running VM}"
cd "$(dirname "$0")/../.."
make packages
api=$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["apiBase"]["value"])' "$outputs")
exec .venv/bin/python -m smoke --api "$api" --vm "$SMOKE_VM" --timeout 120

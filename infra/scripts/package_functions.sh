#!/usr/bin/env bash
# Packs the function app as it is deployed: what .funcignore leaves, and nothing else.
#   package_functions.sh TARGET.zip [BACKEND [LINE]]
# BACKEND: storage, or scheduler where the parameter durableBackend says so; it stands in the packaged host.json.
# LINE: 2, or 1 for the fallback on azure-functions-durable 1.x and the released extension bundle (docs/versions.md).
# PYTHON: the Python that makes its bytecode, of the version that runs in Azure; else the project's own, or python3.
set -euo pipefail
target=$(realpath -m "${1:?"usage: package_functions.sh TARGET.zip [BACKEND [LINE]]"}")
cd "$(dirname "$0")/../.."
python=${PYTHON:-.venv/bin/python}
[ -x "$python" ] || python=$(command -v "$python" || command -v python3)
"$python" infra/scripts/package_functions.py "$target" "${2:-storage}" "${3:-2}"

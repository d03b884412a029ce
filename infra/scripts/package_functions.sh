#!/usr/bin/env bash
# Packs the function app as it is deployed: what .funcignore leaves, and nothing else.
#   package_functions.sh TARGET.zip
set -euo pipefail
target=$(realpath -m "${1:?"usage: package_functions.sh TARGET.zip"}")
cd "$(dirname "$0")/../.."
python3 infra/scripts/package_functions.py "$target"

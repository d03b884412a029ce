#!/usr/bin/env bash
# Gathers the page as it is served: its modules and the third-party parts that its lock file names.
#   package_page.sh TARGET_FOLDER
set -euo pipefail
target=$(realpath -m "${1:?"usage: package_page.sh TARGET_FOLDER"}")
cd "$(dirname "$0")/../../web"
mkdir -p "$target"
cp -R -- *.js *.css *.html *.svg access recordings session terminal ui staticwebapp.config.json package.json package-lock.json "$target"
npm ci --prefix "$target" --omit=dev --ignore-scripts --no-audit --no-fund >&2
rm "$target/package.json" "$target/package-lock.json"

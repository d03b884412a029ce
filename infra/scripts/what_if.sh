#!/usr/bin/env bash
# What a deployment would change, as a comment for a pull request.
#   what_if.sh PARAMETERS
set -euo pipefail
parameters=${1:?"usage: what_if.sh PARAMETERS"}
cd "$(dirname "$0")/../.."
SWITCH_READS=${SWITCH_READS:-$(infra/scripts/switch_reads.sh)}
export SWITCH_READS
# shellcheck disable=SC2016 # Markdown, nothing to expand
printf 'What deploying `%s` would change:\n\n```\n' "$parameters"
az deployment sub what-if --location "${AZURE_LOCATION:-westeurope}" --parameters "$parameters" --no-pretty-print false \
  --result-format ResourceIdOnly --no-prompt true
printf '```\n'

#!/usr/bin/env bash
# Installs the Bicep CLI, of the version that the tests were written with, by the Azure CLI; prints where it is.
set -euo pipefail
az bicep install --version v0.49.2 >&2
program="${AZURE_CONFIG_DIR:-$HOME/.azure}/bin/bicep" # Azure/azure-cli, command_modules/resource/_bicep.py
test -x "$program"
echo "$program"

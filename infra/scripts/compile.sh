#!/usr/bin/env bash
# Compiles and lints every Bicep file and every parameter file; nothing is deployed and nobody signs in.
set -euo pipefail
cd "$(dirname "$0")/../.."
export API_CLIENT_ID=00000000-0000-0000-0000-000000000000 PAGE_CLIENT_ID=00000000-0000-0000-0000-000000000000
for file in infra/main.bicep infra/identity/main.bicep; do
  az bicep lint --file "$file"
  az bicep build --file "$file" --stdout >/dev/null
done
for file in infra/*.bicepparam; do
  az bicep build-params --file "$file" --stdout >/dev/null
done

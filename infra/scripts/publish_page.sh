#!/usr/bin/env sh
# What `azd up` does last: puts the page where the deployment made room for it, with the API's address in it.
set -eu
: "${apiBase:?azd sets it from the deployment}" "${resourceGroup:?}"
[ -n "${staticWebAppName:-}" ] || { echo "the page is served elsewhere" >&2; exit 0; }
cd "$(dirname "$0")/../.."
page=$(mktemp -d)
trap 'rm -rf "$page"' EXIT
infra/scripts/package_page.sh "$page"
printf '/** Written by the deployment. */\nexport const API = "%s";\n' "$apiBase" >"$page/address.js"
key=$(az staticwebapp secrets list --resource-group "$resourceGroup" --name "$staticWebAppName" --query properties.apiKey --output tsv)
SWA_CLI_DEPLOYMENT_TOKEN=$key npx --yes @azure/static-web-apps-cli@2.0.10 deploy "$page" --env production

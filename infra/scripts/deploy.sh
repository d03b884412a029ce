#!/usr/bin/env bash
# Deploys one release into one environment: resources, function app, page; relays drain and are replaced one by one.
#   deploy.sh PARAMETERS FUNCTIONS.zip PAGE_FOLDER
# RELAY_IMAGE, API_CLIENT_ID and PAGE_CLIENT_ID are read by the parameter file; REGISTRY is this environment's, to which
# an image that was built into another one is copied first: the digest stays. Prints what the deployment answered.
set -euo pipefail
usage="usage: deploy.sh PARAMETERS FUNCTIONS.zip PAGE_FOLDER"
parameters=${1:?$usage} package=$(realpath "${2:?$usage}") page=$(realpath "${3:?$usage}")
cd "$(dirname "$0")/../.."
name=$(basename "$parameters" .bicepparam)
: "${RELAY_IMAGE:?image of the relay, by digest}" "${REGISTRY:?address of the registry of this environment}"

# The engine of the lock stands in the package. One that is made for another is refused before anything is changed.
backend=$(az bicep build-params --file "$parameters" --stdout | python3 -c 'import json, sys
built = json.load(sys.stdin)
given, known = (json.loads(built[each])["parameters"] for each in ("parametersJson", "templateJson"))
print(given["durableBackend"]["value"] if "durableBackend" in given else known["durableBackend"]["defaultValue"])')
packed=$(python3 -c 'import json, sys, zipfile
host = json.loads(zipfile.ZipFile(sys.argv[1]).read("host.json"))
print(host["extensions"]["durableTask"]["storageProvider"]["type"])' "$package")
wanted=$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["type"])' "infra/host/$backend.json")
if [ "$packed" != "$wanted" ]; then
  echo "the package is made for $packed, the deployment for $wanted: package_functions.sh TARGET.zip $backend" >&2
  exit 1
fi

if [ "${RELAY_IMAGE%%/*}" != "$REGISTRY" ]; then
  digest=${RELAY_IMAGE##*@}
  echo "image $digest" >&2
  az acr import --name "${REGISTRY%%.*}" --source "$RELAY_IMAGE" --image "relay:${digest#sha256:}" --force >&2
  export RELAY_IMAGE="$REGISTRY/relay@$digest"
fi
SWITCH_READS=${SWITCH_READS:-$(infra/scripts/switch_reads.sh)}
export SWITCH_READS
answer=$(az deployment sub create --name "serial-console-$name" --location "${AZURE_LOCATION:-westeurope}" \
  --parameters "$parameters" --query properties.outputs --output json)
output() { python3 -c 'import json, sys; print(json.loads(sys.argv[1])[sys.argv[2]]["value"])' "$answer" "$1"; }
group=$(output resourceGroup) app=$(output functionAppName) api=$(output apiBase) static=$(output staticWebAppName)

echo "function app $app" >&2
az functionapp deployment source config-zip --resource-group "$group" --name "$app" --src "$package" --build-remote true >&2

if [ -n "$static" ]; then
  echo "page $static" >&2
  printf '/** Written by the deployment. */\nexport const API = "%s";\n' "$api" >"$page/address.js"
  key=$(az staticwebapp secrets list --resource-group "$group" --name "$static" --query properties.apiKey --output tsv)
  SWA_CLI_DEPLOYMENT_TOKEN=$key npx --yes @azure/static-web-apps-cli@2.0.10 deploy "$page" --env production >&2
fi
echo "$answer"

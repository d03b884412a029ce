#!/usr/bin/env sh
# What `azd up` does after the resources are there: builds the relay's image in the registry, and brings the relays up.
set -eu
: "${AZURE_ENV_NAME:?azd sets it}" "${registryLoginServer:?azd sets it from the deployment}"
cd "$(dirname "$0")/../.."
version=$(git rev-parse --short HEAD)
registry=${registryLoginServer%%.*}
if [ -n "${RELAY_IMAGE:-}" ]; then
  echo "relays run $RELAY_IMAGE; azd env set RELAY_IMAGE '' builds a new one" >&2
  exit 0
fi
az acr build --registry "$registry" --image "relay:$version" --file relay/Dockerfile . >&2
digest=$(az acr manifest show-metadata --registry "$registry" --name "relay:$version" --query digest --output tsv)
azd env set RELAY_IMAGE "$registryLoginServer/relay@$digest"
azd provision --no-prompt

#!/usr/bin/env bash
# Builds the relay's image with an SBOM and a record of how it was built, pushes it, and prints its name by digest.
#   build_relay.sh REGISTRY VERSION
set -euo pipefail
registry=${1:?"usage: build_relay.sh REGISTRY VERSION"} version=${2:?"usage: build_relay.sh REGISTRY VERSION"}
cd "$(dirname "$0")/../.."
image="$registry/relay"
about=$(mktemp)
trap 'rm -f "$about"' EXIT
docker buildx inspect relay >/dev/null 2>&1 || docker buildx create --name relay --driver docker-container >/dev/null
docker buildx build --builder relay --file relay/Dockerfile --tag "$image:$version" \
  --sbom=true --provenance=mode=max --push --metadata-file "$about" . >&2
digest=$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["containerimage.digest"])' "$about")
echo "$image@$digest"

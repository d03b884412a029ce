#!/usr/bin/env bash
# Actions by which the service may read Azure's own switches of the serial console, as a JSON list: none where Azure has
# registered no reading one, because a role that names an action which is not registered is refused, and with it the
# whole deployment (InvalidActionOrNotAction). A wildcard that meets a registered one is taken, and covers the others.
set -euo pipefail
names=$(az provider operation show --namespace Microsoft.SerialConsole --output tsv \
  --query "[operations[].name, resourceTypes[].operations[].name][][]")
if grep -qi '^Microsoft\.SerialConsole/.*/read$' <<<"$names"; then
  echo '["Microsoft.SerialConsole/*/read"]'
else
  echo '[]'
fi

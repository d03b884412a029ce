metadata description = 'Who the parts of the service are. Roles are granted beside what they open.'

@description('Short name of the installation.')
param name string

@description('Region.')
param location string

@description('Tags.')
param tags object

resource api 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: 'id-${name}-api'
  location: location
  tags: tags
}

resource relay 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: 'id-${name}-relay'
  location: location
  tags: tags
}

@description('Resource id of the function app\'s identity.')
output apiId string = api.id

@description('Client id of the function app\'s identity.')
output apiClientId string = api.properties.clientId

@description('Object id of the function app\'s identity.')
output apiPrincipalId string = api.properties.principalId

@description('Resource id of the relays\' identity.')
output relayId string = relay.id

@description('Client id of the relays\' identity.')
output relayClientId string = relay.properties.clientId

@description('Object id of the relays\' identity.')
output relayPrincipalId string = relay.properties.principalId

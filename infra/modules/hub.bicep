metadata description = 'The Event Hub that carries records from relays to the archiver. No keys: identities only.'

@description('Name of the namespace.')
param name string

@description('Region.')
param location string

@description('Tags.')
param tags object

@description('Partitions of the hub.')
param partitions int

@description('Throughput units to which it may grow.')
param throughputMost int

@description('Object id of the relays\' identity: sends.')
param senderId string

@description('Object id of the function app\'s identity: receives.')
param receiverId string

@description('Private endpoints: subnetId and zoneIds; null: none.')
param endpoints object?

@description('Customer\'s key; empty: the platform\'s. Needs the Premium tier.')
param customerKeyUri string

@description('Identity that may use the customer\'s key.')
param customerKeyIdentityId string

@description('Workspace for diagnostics.')
param workspaceId string

var sender = '2b629674-e913-4c01-ae53-ef4638d8f975'
var receiver = 'a638d3c7-ab3a-418d-83e6-5f17a39d4fde'
var customers = !empty(customerKeyUri)

resource namespace 'Microsoft.EventHub/namespaces@2024-01-01' = {
  name: name
  location: location
  tags: tags
  sku: {
    name: customers ? 'Premium' : 'Standard'
    tier: customers ? 'Premium' : 'Standard'
    capacity: 1
  }
  identity: customers ? {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${customerKeyIdentityId}': {}
    }
  } : null
  properties: {
    disableLocalAuth: true
    minimumTlsVersion: '1.2'
    isAutoInflateEnabled: !customers
    maximumThroughputUnits: customers ? 0 : throughputMost
    publicNetworkAccess: endpoints == null ? 'Enabled' : 'Disabled'
    encryption: customers ? {
      keySource: 'Microsoft.KeyVault'
      requireInfrastructureEncryption: true
      keyVaultProperties: [
        {
          keyName: last(split(customerKeyUri, '/'))
          keyVaultUri: take(customerKeyUri, indexOf(customerKeyUri, '/keys/'))
          identity: {
            userAssignedIdentity: customerKeyIdentityId
          }
        }
      ]
    } : null
  }
}

resource records 'Microsoft.EventHub/namespaces/eventhubs@2024-01-01' = {
  parent: namespace
  name: 'records'
  properties: {
    partitionCount: partitions
    messageRetentionInDays: 7
  }
}

resource sends 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(records.id, senderId, sender)
  scope: records
  properties: {
    principalId: senderId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', sender)
  }
}

resource receives 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(records.id, receiverId, receiver)
  scope: records
  properties: {
    principalId: receiverId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', receiver)
  }
}

module reached 'endpoint.bicep' = if (endpoints != null) {
  name: 'hub-endpoint'
  params: {
    name: name
    location: location
    tags: tags
    targetId: namespace.id
    groupId: 'namespace'
    subnetId: endpoints!.subnetId
    zoneId: endpoints!.zoneIds.hub
  }
}

resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'all'
  scope: namespace
  properties: {
    workspaceId: workspaceId
    logs: [
      {
        categoryGroup: 'allLogs'
        enabled: true
      }
    ]
    metrics: [
      {
        category: 'AllMetrics'
        enabled: true
      }
    ]
  }
}

@description('Resource id of the namespace.')
output id string = namespace.id

@description('Host name of the namespace.')
output host string = replace(replace(namespace.properties.serviceBusEndpoint, 'https://', ''), ':443/', '')

@description('Name of the hub.')
output hub string = records.name

metadata description = 'What the Functions host keeps: its leases and checkpoints, the function app\'s package, and the task hub where durableBackend is storage.'

@description('Name of the account.')
param name string

@description('Region.')
param location string

@description('Tags.')
param tags object

@description('Object id of the function app\'s identity.')
param principalId string

@description('Private endpoints: subnetId and zoneIds; null: none.')
param endpoints object?

@description('Customer\'s key; empty: the platform\'s.')
param customerKeyUri string

@description('Identity that may use the customer\'s key.')
param customerKeyIdentityId string

@description('Workspace for diagnostics.')
param workspaceId string

var blobOwner = 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b'
var queueContributor = '974c5e8b-45b9-4653-ba55-5f855dd0fb88'
var tableContributor = '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3'
var packages = 'packages'

resource account 'Microsoft.Storage/storageAccounts@2026-04-01' = {
  name: name
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: {
    name: 'Standard_ZRS'
  }
  identity: empty(customerKeyUri) ? null : {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${customerKeyIdentityId}': {}
    }
  }
  properties: {
    allowBlobPublicAccess: false
    allowSharedKeyAccess: false
    allowCrossTenantReplication: false
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    publicNetworkAccess: endpoints == null ? 'Enabled' : 'Disabled'
    networkAcls: {
      defaultAction: endpoints == null ? 'Allow' : 'Deny'
      bypass: 'None'
    }
    encryption: {
      requireInfrastructureEncryption: true
      // Queues and tables would keep keys of the platform; which it is cannot be changed later.
      services: {
        queue: {
          keyType: 'Account'
        }
        table: {
          keyType: 'Account'
        }
      }
      keySource: empty(customerKeyUri) ? 'Microsoft.Storage' : 'Microsoft.Keyvault'
      identity: empty(customerKeyUri) ? null : {
        userAssignedIdentity: customerKeyIdentityId
      }
      keyvaultproperties: empty(customerKeyUri) ? null : {
        keyname: last(split(customerKeyUri, '/'))
        keyvaulturi: take(customerKeyUri, indexOf(customerKeyUri, '/keys/'))
      }
    }
  }
}

resource blobs 'Microsoft.Storage/storageAccounts/blobServices@2026-04-01' = {
  parent: account
  name: 'default'
  properties: {
    deleteRetentionPolicy: {
      enabled: true
      days: 7
    }
  }
}

resource package 'Microsoft.Storage/storageAccounts/blobServices/containers@2026-04-01' = {
  parent: blobs
  name: packages
}

resource roles 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for role in [blobOwner, queueContributor, tableContributor]: {
  name: guid(account.id, principalId, role)
  scope: account
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role)
  }
}]

module reached 'endpoint.bicep' = [for service in ['blob', 'queue', 'table']: if (endpoints != null) {
  name: 'host-storage-${service}'
  params: {
    name: name
    location: location
    tags: tags
    targetId: account.id
    groupId: service
    subnetId: endpoints!.subnetId
    zoneId: endpoints!.zoneIds[service]
  }
}]

resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'audit'
  scope: blobs
  properties: {
    workspaceId: workspaceId
    logs: [
      {
        categoryGroup: 'audit'
        enabled: true
      }
    ]
  }
}

@description('Name of the account.')
output name string = account.name

@description('Container of the function app\'s packages.')
output packageContainerUri string = '${account.properties.primaryEndpoints.blob}${packages}'

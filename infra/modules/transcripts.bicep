metadata description = 'Where transcripts, signed checkpoints and the index are: identities only, nothing public, WORM by choice.'

@description('Name of the account.')
param name string

@description('Region.')
param location string

@description('Tags.')
param tags object

@description('Object id of the function app\'s identity.')
param principalId string

@description('Days for which nothing can be altered or deleted; 0: no such lock.')
param immutableDays int

@description('Private endpoints: subnetId and zoneIds; null: none.')
param endpoints object?

@description('Customer\'s key; empty: the platform\'s.')
param customerKeyUri string

@description('Identity that may use the customer\'s key.')
param customerKeyIdentityId string

@description('A lock against deletion by mistake.')
param lock bool

@description('Workspace for diagnostics.')
param workspaceId string

var blobContributor = 'ba92f5b4-2d11-453d-a403-e96b0029c9fe'
var tableContributor = '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3'
var containers = ['transcripts', 'checkpoints']

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
    // Retention is the service's own (RING_DAYS, RING_BYTES), and said under signature: these catch mistakes of people.
    deleteRetentionPolicy: {
      enabled: true
      days: 14
    }
    containerDeleteRetentionPolicy: {
      enabled: true
      days: 14
    }
  }
}

// Policies, holds and who has read: whoever writes there past the service is to be seen.
resource tables 'Microsoft.Storage/storageAccounts/tableServices@2026-04-01' = {
  parent: account
  name: 'default'
}

resource made 'Microsoft.Storage/storageAccounts/blobServices/containers@2026-04-01' = [for container in containers: {
  parent: blobs
  name: container
}]

resource worm 'Microsoft.Storage/storageAccounts/blobServices/containers/immutabilityPolicies@2026-04-01' = [for (container, at) in containers: if (immutableDays > 0) {
  parent: made[at]
  name: 'default'
  properties: {
    immutabilityPeriodSinceCreationInDays: immutableDays
    allowProtectedAppendWrites: true
  }
}]

resource cooling 'Microsoft.Storage/storageAccounts/managementPolicies@2026-04-01' = {
  parent: account
  name: 'default'
  properties: {
    policy: {
      rules: [
        {
          name: 'dead-letters'
          type: 'Lifecycle'
          enabled: immutableDays == 0
          definition: {
            filters: {
              blobTypes: ['blockBlob']
              prefixMatch: ['transcripts/dead-letter/']
            }
            actions: {
              baseBlob: {
                delete: {
                  daysAfterModificationGreaterThan: 365
                }
              }
            }
          }
        }
      ]
    }
  }
}

resource roles 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for role in [blobContributor, tableContributor]: {
  name: guid(account.id, principalId, role)
  scope: account
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role)
  }
}]

module reached 'endpoint.bicep' = [for service in ['blob', 'table']: if (endpoints != null) {
  name: 'transcripts-${service}'
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

resource kept 'Microsoft.Authorization/locks@2020-05-01' = if (lock) {
  name: 'transcripts-are-evidence'
  scope: account
  properties: {
    level: 'CanNotDelete'
    notes: 'Transcripts and signed checkpoints: remove this lock only to give up the record.'
  }
}

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

resource tableDiagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'audit'
  scope: tables
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

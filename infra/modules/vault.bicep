metadata description = 'The keys that sign session tokens and statements about transcripts. They never leave the vault, and rotate by themselves.'

@description('Name of the vault.')
param name string

@description('Region.')
param location string

@description('Tags.')
param tags object

@description('Object id of the function app\'s identity: signs.')
param signerId string

@description('Private endpoints: subnetId and zoneIds; null: none.')
param endpoints object?

@description('A lock against deletion by mistake.')
param lock bool

@description('Workspace for diagnostics.')
param workspaceId string

// Old versions stay enabled: what they signed is still read. They expire late, so that nothing stops should rotation stop.
var keys = [
  {
    name: 'session-tokens'
    rotates: 'P90D'
  }
  {
    name: 'statements'
    rotates: 'P1Y'
  }
]

resource vault 'Microsoft.KeyVault/vaults@2026-02-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    tenantId: tenant().tenantId
    sku: {
      family: 'A'
      name: 'premium'
    }
    enableRbacAuthorization: true
    enableSoftDelete: true
    softDeleteRetentionInDays: 90
    enablePurgeProtection: true
    publicNetworkAccess: endpoints == null ? 'enabled' : 'disabled'
    networkAcls: {
      bypass: 'None'
      defaultAction: endpoints == null ? 'Allow' : 'Deny'
    }
  }
}

resource made 'Microsoft.KeyVault/vaults/keys@2026-02-01' = [for key in keys: {
  parent: vault
  name: key.name
  tags: tags
  properties: {
    kty: 'EC-HSM'
    curveName: 'P-256'
    keyOps: ['sign', 'verify']
    attributes: {
      enabled: true
      exportable: false
    }
    rotationPolicy: {
      attributes: {
        expiryTime: 'P3Y'
      }
      lifetimeActions: [
        {
          trigger: {
            timeAfterCreate: key.rotates
          }
          action: {
            type: 'rotate'
          }
        }
        {
          trigger: {
            timeBeforeExpiry: 'P30D'
          }
          action: {
            type: 'notify'
          }
        }
      ]
    }
  }
}]

// The built-in role for this (Key Vault Crypto User) may also change keys: enable a withdrawn version, disable the one that signs.
resource signing 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(resourceGroup().id, name, 'serial console: signs')
  properties: {
    roleName: 'Serial Console Service: signs (${name})'
    description: 'Reads the public part of keys, and signs with them.'
    type: 'CustomRole'
    assignableScopes: [resourceGroup().id]
    permissions: [
      {
        actions: []
        notActions: []
        dataActions: [
          'Microsoft.KeyVault/vaults/keys/read'
          'Microsoft.KeyVault/vaults/keys/sign/action'
        ]
        notDataActions: []
      }
    ]
  }
}

resource signs 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for (key, at) in keys: {
  name: guid(vault.id, key.name, signerId, signing.id)
  scope: made[at]
  properties: {
    principalId: signerId
    principalType: 'ServicePrincipal'
    roleDefinitionId: signing.id
  }
}]

module reached 'endpoint.bicep' = if (endpoints != null) {
  name: 'vault-endpoint'
  params: {
    name: name
    location: location
    tags: tags
    targetId: vault.id
    groupId: 'vault'
    subnetId: endpoints!.subnetId
    zoneId: endpoints!.zoneIds.vault
  }
}

resource kept 'Microsoft.Authorization/locks@2020-05-01' = if (lock) {
  name: 'keys-prove-transcripts'
  scope: vault
  properties: {
    level: 'CanNotDelete'
    notes: 'Without these keys nobody can tell whether a transcript is as it was written.'
  }
}

resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'audit'
  scope: vault
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

@description('Resource id of the vault.')
output id string = vault.id

@description('Name of the vault.')
output name string = vault.name

@description('Address of the key that signs session tokens, without a version.')
output sessionKeyUri string = made[0].properties.keyUri

@description('Address of the key that signs statements, without a version.')
output statementKeyUri string = made[1].properties.keyUri

metadata description = 'Where the relays run, and the disks of their spools. With a network the spool outlives its replica; without one it outlives restarts of the container only.'

@description('Name part.')
param name string

@description('Name of the account of the spools.')
param storageName string

@description('Region.')
param location string

@description('Tags.')
param tags object

@description('Subnet of the relays; empty: no network.')
param subnetId string

@description('The network; empty: none.')
param networkId string

@description('Whether relays can be reached from the Internet.')
param public bool

@description('Relay shards.')
param shardCount int

@description('Private endpoints: subnetId and zoneIds; null: none.')
param endpoints object?

@description('Customer\'s key; empty: the platform\'s.')
param customerKeyUri string

@description('Identity that may use the customer\'s key.')
param customerKeyIdentityId string

@description('Workspace for logs.')
param workspaceId string

var inNetwork = !empty(subnetId)

resource home 'Microsoft.App/managedEnvironments@2026-01-01' = {
  name: 'cae-${name}'
  location: location
  tags: tags
  properties: {
    vnetConfiguration: inNetwork ? {
      infrastructureSubnetId: subnetId
      internal: !public
    } : null
    publicNetworkAccess: public ? 'Enabled' : 'Disabled'
    appLogsConfiguration: {
      destination: 'azure-monitor'
    }
    peerTrafficConfiguration: {
      encryption: {
        enabled: true
      }
    }
    workloadProfiles: [
      {
        name: 'Consumption'
        workloadProfileType: 'Consumption'
      }
    ]
  }
}

// In a network that is not public nobody else names the relays.
module named 'relay_zone.bicep' = if (!public) {
  name: 'relay-zone'
  params: {
    domain: home.properties.defaultDomain
    address: home.properties.staticIp
    networkId: networkId
    tags: tags
  }
}

// NFS has no keys and no encryption of its own on the wire: the private endpoint is the only way in.
resource disks 'Microsoft.Storage/storageAccounts@2026-04-01' = if (inNetwork) {
  name: storageName
  location: location
  tags: tags
  kind: 'FileStorage'
  sku: {
    name: 'Premium_ZRS'
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
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: false
    publicNetworkAccess: 'Disabled'
    networkAcls: {
      defaultAction: 'Deny'
      bypass: 'None'
    }
    encryption: {
      requireInfrastructureEncryption: true
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

resource files 'Microsoft.Storage/storageAccounts/fileServices@2026-04-01' = if (inNetwork) {
  parent: disks
  name: 'default'
}

resource shares 'Microsoft.Storage/storageAccounts/fileServices/shares@2026-04-01' = [for shard in range(0, shardCount): if (inNetwork) {
  parent: files
  name: 'spool-r${shard}'
  properties: {
    enabledProtocols: 'NFS'
    rootSquash: 'NoRootSquash'
    shareQuota: 100
  }
}]

module reached 'endpoint.bicep' = if (inNetwork) {
  name: 'spool-endpoint'
  params: {
    name: storageName
    location: location
    tags: tags
    targetId: disks.id
    groupId: 'file'
    subnetId: endpoints!.subnetId
    zoneId: endpoints!.zoneIds.file
  }
}

resource mounted 'Microsoft.App/managedEnvironments/storages@2026-01-01' = [for shard in range(0, shardCount): if (inNetwork) {
  parent: home
  name: 'spool-r${shard}'
  properties: {
    nfsAzureFile: {
      server: '${storageName}.file.${environment().suffixes.storage}'
      shareName: '/${storageName}/spool-r${shard}'
      accessMode: 'ReadWrite'
    }
  }
  dependsOn: [shares[shard], reached]
}]

resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'all'
  scope: home
  properties: {
    workspaceId: workspaceId
    logs: [
      {
        categoryGroup: 'allLogs'
        enabled: true
      }
    ]
  }
}

resource spoolDiagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = if (inNetwork) {
  name: 'audit'
  scope: files
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

@description('Resource id of the environment.')
output id string = home.id

@description('Domain under which the relays have their addresses.')
output domain string = home.properties.defaultDomain

@description('Names of the mounted disks, in the order of the shards; empty names: a disk that goes with the replica.')
output spoolNames array = [for shard in range(0, shardCount): inNetwork ? 'spool-r${shard}' : '']

metadata description = 'Where the relays run, and the disks of their spools. On a share the spool outlives its replica; on the replica\'s own disk it outlives restarts of the container only.'

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

@description('Whether spools are on shares, which needs a subnet.')
param onShare bool

@description('Private endpoints: subnetId and zoneIds; null: none, and the shares let in the relays\' subnet alone.')
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

// NFS has no keys and no encryption of its own on the wire: the private endpoint is the only way in, or, where there are
// none, the relays' subnet.
resource disks 'Microsoft.Storage/storageAccounts@2026-04-01' = if (onShare) {
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
    publicNetworkAccess: endpoints == null ? 'Enabled' : 'Disabled'
    networkAcls: {
      defaultAction: 'Deny'
      bypass: 'None'
      virtualNetworkRules: endpoints == null ? [
        {
          id: subnetId
          action: 'Allow'
        }
      ] : []
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

resource files 'Microsoft.Storage/storageAccounts/fileServices@2026-04-01' = if (onShare) {
  parent: disks
  name: 'default'
  properties: {
    protocolSettings: {
      nfs: {
        // Container Apps mounts without TLS; left out, it would follow what new accounts demand.
        encryptionInTransit: {
          required: false
        }
      }
    }
  }
}

resource shares 'Microsoft.Storage/storageAccounts/fileServices/shares@2026-04-01' = [for shard in range(0, shardCount): if (onShare) {
  parent: files
  name: 'spool-r${shard}'
  properties: {
    enabledProtocols: 'NFS'
    rootSquash: 'NoRootSquash'
    shareQuota: 100
  }
}]

module reached 'endpoint.bicep' = if (onShare && endpoints != null) {
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

resource mounted 'Microsoft.App/managedEnvironments/storages@2026-01-01' = [for shard in range(0, shardCount): if (onShare) {
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

resource spoolDiagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = if (onShare) {
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
output spoolNames array = [for shard in range(0, shardCount): onShare ? 'spool-r${shard}' : '']

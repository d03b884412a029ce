metadata description = 'Names the relays in the virtual network.'

@description('Domain under which the relays have their addresses.')
param domain string

@description('Address of the environment.')
param address string

@description('The network.')
param networkId string

@description('Tags.')
param tags object

resource zone 'Microsoft.Network/privateDnsZones@2024-06-01' = {
  name: domain
  location: 'global'
  tags: tags
}

resource all 'Microsoft.Network/privateDnsZones/A@2024-06-01' = {
  parent: zone
  name: '*'
  properties: {
    ttl: 300
    aRecords: [
      {
        ipv4Address: address
      }
    ]
  }
}

resource linked 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01' = {
  parent: zone
  name: 'service'
  location: 'global'
  tags: tags
  properties: {
    virtualNetwork: {
      id: networkId
    }
    registrationEnabled: false
  }
}

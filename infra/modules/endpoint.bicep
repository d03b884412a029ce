metadata description = 'One private endpoint, and its name in the network.'

@description('Name of the resource that is reached by it.')
param name string

@description('Region.')
param location string

@description('Tags.')
param tags object

@description('Resource that is reached.')
param targetId string

@description('Which of its services: blob, vault, sites ...')
param groupId string

@description('Subnet of the endpoint.')
param subnetId string

@description('Private zone that names it.')
param zoneId string

resource endpoint 'Microsoft.Network/privateEndpoints@2025-09-01' = {
  name: 'pep-${name}-${groupId}'
  location: location
  tags: tags
  properties: {
    subnet: {
      id: subnetId
    }
    privateLinkServiceConnections: [
      {
        name: groupId
        properties: {
          privateLinkServiceId: targetId
          groupIds: [groupId]
        }
      }
    ]
  }
}

resource names 'Microsoft.Network/privateEndpoints/privateDnsZoneGroups@2025-09-01' = {
  parent: endpoint
  name: 'default'
  properties: {
    privateDnsZoneConfigs: [
      {
        name: groupId
        properties: {
          privateDnsZoneId: zoneId
        }
      }
    ]
  }
}

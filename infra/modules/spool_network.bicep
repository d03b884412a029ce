metadata description = 'The least network that a spool on a share needs: one subnet for the relays, which the disks let in. For an installation without private endpoints.'

@description('Name part.')
param name string

@description('Region.')
param location string

@description('Tags.')
param tags object

@description('Address space, /22 or larger.')
param addressPrefix string

@description('Workspace for diagnostics.')
param workspaceId string

resource network 'Microsoft.Network/virtualNetworks@2024-05-01' = {
  name: 'vnet-${name}-relays'
  location: location
  tags: tags
  properties: {
    addressSpace: {
      addressPrefixes: [addressPrefix]
    }
    subnets: [
      {
        name: 'relays'
        properties: {
          addressPrefix: cidrSubnet(addressPrefix, 25, 1)
          serviceEndpoints: [
            {
              service: 'Microsoft.Storage'
            }
          ]
          delegations: [
            {
              name: 'container-apps'
              properties: {
                serviceName: 'Microsoft.App/environments'
              }
            }
          ]
        }
      }
    ]
  }
}

resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'all'
  scope: network
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

@description('Subnet of the relays.')
output subnetId string = '${network.id}/subnets/relays'

metadata description = 'A virtual network: one subnet each for the function app, the relays and the private endpoints, and the zones that name these.'

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

var suffix = environment().suffixes.storage
var hubDomains = {
  AzureUSGovernment: 'usgovcloudapi.net'
  AzureChinaCloud: 'chinacloudapi.cn'
}
var siteDomains = {
  AzureUSGovernment: 'azurewebsites.us'
  AzureChinaCloud: 'chinacloudsites.cn'
}
var zones = {
  blob: 'privatelink.blob.${suffix}'
  file: 'privatelink.file.${suffix}'
  queue: 'privatelink.queue.${suffix}'
  table: 'privatelink.table.${suffix}'
  vault: 'privatelink${replace(environment().suffixes.keyvaultDns, '.vault', '.vaultcore')}'
  hub: 'privatelink.servicebus.${hubDomains[?environment().name] ?? 'windows.net'}'
  sites: 'privatelink.${siteDomains[?environment().name] ?? 'azurewebsites.net'}'
  page: 'privatelink.azurestaticapps.net'
  scheduler: 'privatelink.durabletask.io'
}

resource closed 'Microsoft.Network/networkSecurityGroups@2024-05-01' = {
  name: 'nsg-${name}-endpoints'
  location: location
  tags: tags
  properties: {
    securityRules: [
      {
        name: 'only-from-the-network'
        properties: {
          priority: 100
          direction: 'Inbound'
          access: 'Allow'
          protocol: 'Tcp'
          sourceAddressPrefix: 'VirtualNetwork'
          sourcePortRange: '*'
          destinationAddressPrefix: '*'
          destinationPortRanges: ['443', '445', '2049', '5671']
        }
      }
      {
        name: 'nothing-else'
        properties: {
          priority: 4000
          direction: 'Inbound'
          access: 'Deny'
          protocol: '*'
          sourceAddressPrefix: '*'
          sourcePortRange: '*'
          destinationAddressPrefix: '*'
          destinationPortRange: '*'
        }
      }
    ]
  }
}

resource network 'Microsoft.Network/virtualNetworks@2024-05-01' = {
  name: 'vnet-${name}'
  location: location
  tags: tags
  properties: {
    addressSpace: {
      addressPrefixes: [addressPrefix]
    }
    subnets: [
      {
        name: 'functions'
        properties: {
          addressPrefix: cidrSubnet(addressPrefix, 25, 0)
          delegations: [
            {
              name: 'flex-consumption'
              properties: {
                serviceName: 'Microsoft.App/environments'
              }
            }
          ]
        }
      }
      {
        name: 'relays'
        properties: {
          addressPrefix: cidrSubnet(addressPrefix, 25, 1)
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
      {
        name: 'endpoints'
        properties: {
          addressPrefix: cidrSubnet(addressPrefix, 25, 2)
          networkSecurityGroup: {
            id: closed.id
          }
          privateEndpointNetworkPolicies: 'Enabled'
        }
      }
    ]
  }
}

resource named 'Microsoft.Network/privateDnsZones@2024-06-01' = [for zone in items(zones): {
  name: zone.value
  location: 'global'
  tags: tags
}]

resource linked 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01' = [for (zone, at) in items(zones): {
  parent: named[at]
  name: 'service'
  location: 'global'
  properties: {
    virtualNetwork: {
      id: network.id
    }
    registrationEnabled: false
  }
}]

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

@description('Resource id of the network.')
output networkId string = network.id

@description('Subnet of the function app.')
output functionsSubnetId string = '${network.id}/subnets/functions'

@description('Subnet of the relays.')
output relaysSubnetId string = '${network.id}/subnets/relays'

@description('Subnet of the private endpoints.')
output endpointsSubnetId string = '${network.id}/subnets/endpoints'

@description('Resource ids of the private zones, by what they name.')
output zoneIds object = toObject(items(zones), zone => zone.key, zone => resourceId('Microsoft.Network/privateDnsZones', zone.value))

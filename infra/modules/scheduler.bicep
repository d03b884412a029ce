metadata description = 'Durable Task Scheduler: engine of the lock that pushes work instead of being asked for it.'

@description('Name of the scheduler.')
param name string

@description('Region.')
param location string

@description('Tags.')
param tags object

@description('Object id of the function app\'s identity: works.')
param workerId string

@description('Private endpoints: subnetId and zoneIds; null: none.')
param endpoints object?

var dataContributor = '0ad04412-c4d5-4796-b79c-f76d14c8d402'

resource scheduler 'Microsoft.DurableTask/schedulers@2026-02-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    sku: {
      name: 'Consumption'
    }
    // An empty list lets nobody in; identities decide, and with a private endpoint the network does too.
    ipAllowlist: ['0.0.0.0/0']
    publicNetworkAccess: endpoints == null ? 'Enabled' : 'Disabled'
  }
}

resource hub 'Microsoft.DurableTask/schedulers/taskHubs@2026-02-01' = {
  parent: scheduler
  name: 'serialconsole'
}

resource works 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(scheduler.id, workerId, dataContributor)
  scope: scheduler
  properties: {
    principalId: workerId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', dataContributor)
  }
}

module reached 'endpoint.bicep' = if (endpoints != null) {
  name: 'scheduler-endpoint'
  params: {
    name: name
    location: location
    tags: tags
    targetId: scheduler.id
    groupId: 'scheduler'
    subnetId: endpoints!.subnetId
    zoneId: endpoints!.zoneIds.scheduler
  }
}

@description('Address of the scheduler.')
output endpoint string = scheduler.properties.endpoint

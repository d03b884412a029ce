metadata description = 'What the service may do in a subscription that it serves: look at VMs and what is around them, and open their serial ports; with published also write and start VMs and list keys of storage accounts.'

targetScope = 'subscription'

@description('Short name of the installation.')
param name string

@description('Object id of the function app\'s identity: reads.')
param apiPrincipalId string

@description('Object id of the relays\' identity: opens ports.')
param relayPrincipalId string

@description('What the relays\' identity gets: published (what Microsoft publishes as the least for a connection) or least (what its documentation of the single actions would let one expect).')
@allowed(['least', 'published'])
param relayRole string = 'published'

@description('Actions by which the function app reads Azure\'s own switches of the serial console, where Azure has registered such: one that it has not would fail the deployment. scripts/deploy.sh asks.')
param switchReads array = []

// serial-console-enable-disable.md of MicrosoftDocs/SupportArticles-docs (10/2025) lists the published ones.
// Microsoft.SerialConsole/serialPorts/read is none that Azure has registered (Azure/azure-rest-api-specs, issue 23472).
var least = [
  'Microsoft.Compute/virtualMachines/read'
  'Microsoft.Compute/virtualMachineScaleSets/virtualMachines/read'
  'Microsoft.SerialConsole/serialPorts/connect/action'
]
var published = [
  'Microsoft.Compute/virtualMachines/start/action'
  'Microsoft.Compute/virtualMachines/write'
  'Microsoft.Compute/virtualMachineScaleSets/virtualMachines/start/action'
  'Microsoft.Compute/virtualMachineScaleSets/virtualMachines/write'
  'Microsoft.Resources/subscriptions/resourceGroups/read'
  'Microsoft.Storage/storageAccounts/listKeys/action'
  'Microsoft.Storage/storageAccounts/read'
]

resource looks 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(subscription().id, name, 'serial console: looks')
  properties: {
    roleName: 'Serial Console Service: looks (${name}, ${subscription().subscriptionId})'
    description: 'Reads VMs, their locks, roles and storage accounts, and Azure\'s own switches of the serial console.'
    type: 'CustomRole'
    assignableScopes: [subscription().id]
    permissions: [
      {
        actions: union([
          'Microsoft.Authorization/denyAssignments/read'
          'Microsoft.Authorization/locks/read'
          'Microsoft.Authorization/roleAssignments/read'
          'Microsoft.Authorization/roleDefinitions/read'
          'Microsoft.Compute/virtualMachines/read'
          'Microsoft.Compute/virtualMachines/instanceView/read'
          'Microsoft.Compute/virtualMachineScaleSets/virtualMachines/read'
          'Microsoft.Compute/virtualMachineScaleSets/virtualMachines/instanceView/read'
          'Microsoft.Resources/subscriptions/read'
          'Microsoft.Resources/subscriptions/resourceGroups/read'
          'Microsoft.Storage/checknameavailability/read'
          'Microsoft.Storage/storageAccounts/read'
        ], switchReads)
        notActions: []
        dataActions: []
        notDataActions: []
      }
    ]
  }
}

resource opens 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(subscription().id, name, 'serial console: opens')
  properties: {
    roleName: 'Serial Console Service: opens (${name}, ${subscription().subscriptionId})'
    description: 'Opens the serial ports of VMs: ${relayRole}.'
    type: 'CustomRole'
    assignableScopes: [subscription().id]
    permissions: [
      {
        actions: relayRole == 'published' ? union(least, published) : least
        notActions: []
        dataActions: []
        notDataActions: []
      }
    ]
  }
}

resource apiLooks 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(subscription().id, apiPrincipalId, looks.id)
  properties: {
    principalId: apiPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: looks.id
  }
}

resource relayOpens 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(subscription().id, relayPrincipalId, opens.id)
  properties: {
    principalId: relayPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: opens.id
  }
}

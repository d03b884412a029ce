metadata description = 'What the service may do in a subscription that it serves: look at VMs and what is around them, and open their serial ports. Nothing else.'

targetScope = 'subscription'

@description('Short name of the installation.')
param name string

@description('Object id of the function app\'s identity: reads.')
param apiPrincipalId string

@description('Object id of the relays\' identity: opens ports.')
param relayPrincipalId string

resource looks 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(subscription().id, name, 'serial console: looks')
  properties: {
    roleName: 'Serial Console Service: looks (${name}, ${subscription().subscriptionId})'
    description: 'Reads VMs, their locks, roles and storage accounts, and Azure\'s own switches of the serial console.'
    type: 'CustomRole'
    assignableScopes: [subscription().id]
    permissions: [
      {
        actions: [
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
          'Microsoft.SerialConsole/consoleServices/read'
          'Microsoft.SerialConsole/serialPorts/read'
          'Microsoft.Storage/checknameavailability/read'
          'Microsoft.Storage/storageAccounts/read'
        ]
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
    description: 'Opens the serial ports of VMs.'
    type: 'CustomRole'
    assignableScopes: [subscription().id]
    permissions: [
      {
        actions: [
          'Microsoft.Compute/virtualMachines/read'
          'Microsoft.Compute/virtualMachineScaleSets/virtualMachines/read'
          'Microsoft.SerialConsole/serialPorts/connect/action'
          'Microsoft.SerialConsole/serialPorts/read'
        ]
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

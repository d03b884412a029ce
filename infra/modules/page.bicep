metadata description = 'The page, as static files. It calls the API itself, across origins: a linked API would lose the caller\'s Authorization header.'

@description('Name of the static web app.')
param name string

@description('Region.')
param location string

@description('Region of the private endpoint.')
param endpointLocation string

@description('Tags.')
param tags object

@description('Whether it can be reached from the Internet.')
param public bool

@description('Private endpoints: subnetId and zoneIds; null: none.')
param endpoints object?

@description('Workspace for diagnostics.')
param workspaceId string

resource page 'Microsoft.Web/staticSites@2025-03-01' = {
  name: name
  location: location
  tags: tags
  sku: {
    name: 'Standard'
    tier: 'Standard'
  }
  properties: {
    allowConfigFileUpdates: true
    stagingEnvironmentPolicy: 'Disabled'
    publicNetworkAccess: public || endpoints == null ? 'Enabled' : 'Disabled'
  }
}

module reached 'endpoint.bicep' = if (endpoints != null) {
  name: 'page-endpoint'
  params: {
    name: name
    location: endpointLocation
    tags: tags
    targetId: page.id
    groupId: 'staticSites'
    subnetId: endpoints!.subnetId
    zoneId: endpoints!.zoneIds.page
  }
}

resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'all'
  scope: page
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

@description('Host name of the page.')
output host string = page.properties.defaultHostname

metadata name = 'Serial console: one resource group'
metadata description = 'Every part of the service, and who may open which. Deployed by main.bicep.'

@description('Short name of this installation.')
param name string

@description('Region of all resources.')
param location string

@description('Tags of every resource.')
param tags object

@description('Tenants whose people and applications may sign in; the first is home.')
param tenantIds array

@description('Client id of the API\'s app registration.')
param apiClientId string

@description('Application id URI of the API.')
param apiAudience string

@description('Client id of the page\'s app registration.')
param pageClientId string

@description('Ids of the subscriptions whose VMs are served.')
param servedSubscriptions array

@description('Image of the relay, by digest; empty: no relays yet.')
param relayImage string

@description('Relay shards.')
param shardCount int

@description('Seconds that a relay has to drain.')
param drainSeconds int

@description('Engine of the lock: scheduler or storage.')
param durableBackend string

@description('Requests at the same time, per instance.')
param httpConcurrency int

@description('Instances always ready for requests.')
param readyForHttp int

@description('Instances always ready for the lock.')
param readyForLock int

@description('Instances always ready for the archive.')
param readyForArchive int

@description('A virtual network with private endpoints.')
param privateNetwork bool

@description('Whether page, API and relays can be reached from the Internet.')
param publicEntrance bool

@description('Address space of the virtual network.')
param addressPrefix string

@description('Spools on shares, which outlive a replica.')
param spoolOnShare bool

@description('Region of the static web app.')
param pageLocation string

@description('Origin of a page that is served elsewhere; empty: a static web app is made.')
param pageOrigin string

@description('Partitions of the hub.')
param hubPartitions int

@description('Throughput units to which the hub may grow.')
param hubThroughputMost int

@description('Days of WORM; 0: none.')
param immutableDays int

@description('Customer\'s key for encryption at rest; empty: the platform\'s.')
param customerKeyUri string

@description('Identity that may use the customer\'s key.')
param customerKeyIdentityId string

@description('Locks against deletion by mistake.')
param lockResources bool

@description('Email addresses that alerts go to.')
param alertEmails array

@description('Settings of the function app that differ from their defaults.')
param functionSettings object

@description('Settings of the relays that differ from their defaults.')
param relaySettings object

@description('Keys the digests of what policies mask.')
@secure()
param maskKey string

@description('Days that logs are kept.')
param logDays int

var token = take(uniqueString(subscription().id, resourceGroup().id, name), 8)
var functionAppName = 'func-${name}-${token}'
var pageName = 'stapp-${name}-${token}'
var scheduled = durableBackend == 'scheduler'

module identities 'modules/identities.bicep' = {
  name: 'identities'
  params: {
    name: name
    location: location
    tags: tags
  }
}

module logs 'modules/logs.bicep' = {
  name: 'logs'
  params: {
    name: '${name}-${token}'
    location: location
    tags: tags
    days: logDays
    metricsPublisherIds: [identities.outputs.apiPrincipalId]
  }
}

module network 'modules/network.bicep' = if (privateNetwork) {
  name: 'network'
  params: {
    name: '${name}-${token}'
    location: location
    tags: tags
    addressPrefix: addressPrefix
    workspaceId: logs.outputs.workspaceId
  }
}

// Without private endpoints the shares still need a network that they let in.
module spoolNetwork 'modules/spool_network.bicep' = if (!privateNetwork && spoolOnShare) {
  name: 'spool-network'
  params: {
    name: '${name}-${token}'
    location: location
    tags: tags
    addressPrefix: addressPrefix
    workspaceId: logs.outputs.workspaceId
  }
}

var endpoints = privateNetwork ? {
  subnetId: network!.outputs.endpointsSubnetId
  zoneIds: network!.outputs.zoneIds
} : null

module hostStorage 'modules/host_storage.bicep' = {
  name: 'host-storage'
  params: {
    name: 'st${name}host${token}'
    location: location
    tags: tags
    principalId: identities.outputs.apiPrincipalId
    endpoints: endpoints
    customerKeyUri: customerKeyUri
    customerKeyIdentityId: customerKeyIdentityId
    workspaceId: logs.outputs.workspaceId
  }
}

module transcripts 'modules/transcripts.bicep' = {
  name: 'transcripts'
  params: {
    name: 'st${name}rec${token}'
    location: location
    tags: tags
    principalId: identities.outputs.apiPrincipalId
    immutableDays: immutableDays
    endpoints: endpoints
    customerKeyUri: customerKeyUri
    customerKeyIdentityId: customerKeyIdentityId
    lock: lockResources
    workspaceId: logs.outputs.workspaceId
  }
}

module hub 'modules/hub.bicep' = {
  name: 'hub'
  params: {
    name: 'evhns-${name}-${token}'
    location: location
    tags: tags
    partitions: hubPartitions
    throughputMost: hubThroughputMost
    senderId: identities.outputs.relayPrincipalId
    receiverId: identities.outputs.apiPrincipalId
    endpoints: endpoints
    customerKeyUri: customerKeyUri
    customerKeyIdentityId: customerKeyIdentityId
    workspaceId: logs.outputs.workspaceId
  }
}

module vault 'modules/vault.bicep' = {
  name: 'vault'
  params: {
    name: 'kv-${name}-${token}'
    location: location
    tags: tags
    signerId: identities.outputs.apiPrincipalId
    endpoints: endpoints
    lock: lockResources
    workspaceId: logs.outputs.workspaceId
  }
}

module scheduler 'modules/scheduler.bicep' = if (scheduled) {
  name: 'scheduler'
  params: {
    name: 'dts-${name}-${token}'
    location: location
    tags: tags
    workerId: identities.outputs.apiPrincipalId
    endpoints: endpoints
  }
}

module registry 'modules/registry.bicep' = {
  name: 'registry'
  params: {
    name: 'cr${name}${token}'
    location: location
    tags: tags
    pullerId: identities.outputs.relayPrincipalId
    workspaceId: logs.outputs.workspaceId
  }
}

module page 'modules/page.bicep' = if (empty(pageOrigin)) {
  name: 'page'
  params: {
    name: pageName
    location: pageLocation
    endpointLocation: location
    tags: tags
    public: publicEntrance
    endpoints: endpoints
    workspaceId: logs.outputs.workspaceId
  }
}

module relayHome 'modules/relay_environment.bicep' = {
  name: 'relay-environment'
  params: {
    name: '${name}-${token}'
    storageName: 'st${name}sp${token}'
    location: location
    tags: tags
    subnetId: privateNetwork ? network!.outputs.relaysSubnetId : spoolOnShare ? spoolNetwork!.outputs.subnetId : ''
    onShare: spoolOnShare
    networkId: privateNetwork ? network!.outputs.networkId : ''
    public: publicEntrance || !privateNetwork
    shardCount: shardCount
    endpoints: endpoints
    customerKeyUri: customerKeyUri
    customerKeyIdentityId: customerKeyIdentityId
    workspaceId: logs.outputs.workspaceId
  }
}

var relayNames = [for shard in range(0, shardCount): 'ca-${name}-r${shard}']
var apiHost = functionApp.outputs.host
var origin = empty(pageOrigin) ? 'https://${page!.outputs.host}' : pageOrigin

module functionApp 'modules/function_app.bicep' = {
  name: 'function-app'
  params: {
    name: functionAppName
    location: location
    tags: tags
    identityId: identities.outputs.apiId
    identityClientId: identities.outputs.apiClientId
    hostStorageName: hostStorage.outputs.name
    packageContainerUri: hostStorage.outputs.packageContainerUri
    transcriptStorageName: transcripts.outputs.name
    hubNamespace: hub.outputs.host
    hubName: hub.outputs.hub
    sessionKeyUri: vault.outputs.sessionKeyUri
    statementKeyUri: vault.outputs.statementKeyUri
    schedulerEndpoint: scheduled ? scheduler!.outputs.endpoint : ''
    insightsConnection: logs.outputs.insightsConnection
    relayNames: relayNames
    relayDomain: relayHome.outputs.domain
    pageOrigin: origin
    tenantIds: tenantIds
    apiClientId: apiClientId
    apiAudience: apiAudience
    pageClientId: pageClientId
    servedSubscriptions: servedSubscriptions
    settings: functionSettings
    httpConcurrency: httpConcurrency
    readyForHttp: readyForHttp
    readyForLock: readyForLock
    readyForArchive: readyForArchive
    subnetId: privateNetwork ? network!.outputs.functionsSubnetId : ''
    public: publicEntrance || !privateNetwork
    endpoints: endpoints
    workspaceId: logs.outputs.workspaceId
  }
}

// One after the other: while one drains, the others are there.
@batchSize(1)
module shards 'modules/relay.bicep' = [for shard in range(0, shardCount): if (!empty(relayImage)) {
  name: 'relay-r${shard}'
  params: {
    name: relayNames[shard]
    shard: 'r${shard}'
    location: location
    tags: tags
    environmentId: relayHome.outputs.id
    spoolName: relayHome.outputs.spoolNames[shard]
    registryHost: registry.outputs.loginServer
    image: relayImage
    identityId: identities.outputs.relayId
    identityClientId: identities.outputs.relayClientId
    drainSeconds: drainSeconds
    hubNamespace: hub.outputs.host
    hubName: hub.outputs.hub
    apiHost: apiHost
    apiAudience: apiAudience
    pageOrigin: origin
    maskKey: maskKey
    settings: relaySettings
  }
}]

module alerts 'modules/alerts.bicep' = {
  name: 'alerts'
  params: {
    name: name
    location: location
    tags: tags
    emails: alertEmails
    workspaceId: logs.outputs.workspaceId
    insightsId: logs.outputs.insightsId
    hubId: hub.outputs.id
    vaultId: vault.outputs.id
  }
}

@description('The API\'s address, ending in /api.')
output apiBase string = 'https://${apiHost}/api'

@description('Address of the page.')
output pageUrl string = origin

@description('Name of the function app.')
output functionAppName string = functionAppName

@description('Name of the static web app.')
output staticWebAppName string = empty(pageOrigin) ? pageName : ''

@description('Registry to push the relay\'s image to.')
output registryLoginServer string = registry.outputs.loginServer

@description('Names of the relays\' container apps.')
output relayNames array = relayNames

@description('Name of the key vault.')
output keyVaultName string = vault.outputs.name

@description('Client id of the function app\'s managed identity.')
output apiIdentityClientId string = identities.outputs.apiClientId

@description('Object id of the function app\'s managed identity.')
output apiPrincipalId string = identities.outputs.apiPrincipalId

@description('Object id of the relays\' managed identity.')
output relayPrincipalId string = identities.outputs.relayPrincipalId

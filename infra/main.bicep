metadata name = 'Serial console'
metadata description = 'The whole service in one resource group, and the rights it needs in the subscriptions it serves.'

targetScope = 'subscription'

@description('Short name of this installation: lower-case letters and digits. Part of every resource\'s name.')
@minLength(2)
@maxLength(8)
param name string

@description('Region of all resources.')
param location string

@description('Resource group; it is made where it is not there.')
param resourceGroupName string = 'rg-${name}'

@description('Tags of every resource.')
param tags object = {}

@description('Tenants whose people and applications may sign in; the first is home.')
param tenantIds array = [tenant().tenantId]

@description('Client id of the API\'s app registration (infra/identity).')
param apiClientId string

@description('Application id URI of the API, as identity/main.bicep answers it.')
param apiAudience string = 'api://${tenantIds[0]}/serial-console'

@description('Client id of the page\'s app registration (infra/identity).')
param pageClientId string

@description('Ids of the subscriptions whose VMs are served.')
param servedSubscriptions array = [subscription().subscriptionId]

@description('What the relays may do in the served subscriptions: published (Microsoft\'s published minimum for a connection, which writes and starts VMs and lists keys of storage accounts) or least (which may not suffice: docs/identities.md).')
@allowed(['least', 'published'])
param relayRole string = 'published'

@description('Actions by which the function app reads Azure\'s own switches of the serial console: those that Azure has registered. scripts/deploy.sh asks for them; empty: they are not read, and Azure itself refuses.')
param switchReads array = []

@description('Image of the relay, by digest: registry/name@sha256:... Empty: everything but the relays is made, so that there is a registry to push the first image to.')
param relayImage string = ''

@description('Relay shards. A VM belongs to the shard that hashing of its id names: adding one moves few VMs.')
@minValue(1)
@maxValue(16)
param shardCount int = 1

@description('Seconds that a relay has to end its sessions and send what it has recorded when it is replaced.')
@minValue(30)
@maxValue(600)
param drainSeconds int = 60

@description('Engine of the lock: storage (Azure Storage, polled) or scheduler (Durable Task Scheduler, pushes work). The package of the function app is made for one of them.')
@allowed(['scheduler', 'storage'])
param durableBackend string = 'storage'

@description('Requests that one instance of the function app works on at the same time. Python takes one where nothing is said.')
@minValue(1)
@maxValue(1000)
param httpConcurrency int = 50

@description('Instances that are always ready for requests: a console is opened in a hurry.')
@minValue(0)
@maxValue(40)
param readyForHttp int = 1

@description('Instances that are always ready for the lock, which whoever opens a console waits for.')
@minValue(0)
@maxValue(40)
param readyForLock int = 1

@description('Instances that are always ready for the archive, which follows what consoles print.')
@minValue(0)
@maxValue(40)
param readyForArchive int = 1

@description('A virtual network with private endpoints for everything that stores or signs. Off: those are reachable from everywhere, to whoever has the role.')
param privateNetwork bool = true

@description('Whether page, API and relays can be reached from the Internet. Off: from the virtual network and what is joined to it only.')
param publicEntrance bool = false

@description('Address space of the virtual network: /22 or larger.')
param addressPrefix string = '10.90.0.0/22'

@description('Spools of the relays on NFS shares, which outlive a replica. Off: on a disk that goes with the replica, and with it all records that the hub has not acknowledged. Decided when the relays\' environment is made.')
param spoolOnShare bool = true

@description('Partitions of the hub: what relays send in parallel. Cannot be changed later.')
@minValue(2)
@maxValue(32)
param hubPartitions int = 8

@description('Throughput units to which the hub may grow by itself; each is 1 MB/s.')
@minValue(1)
@maxValue(40)
param hubThroughputMost int = 10

@description('Region of the static web app, which not every region has.')
param pageLocation string = 'westeurope'

@description('Origin of a page that is served elsewhere, where there are no static web apps (sovereign clouds). Empty: one is made.')
param pageOrigin string = ''

@description('Days for which nobody, not even an owner, can alter or delete transcripts and checkpoints (WORM). 0: no such lock.')
@minValue(0)
@maxValue(3650)
param immutableDays int = 0

@description('Address of a Key Vault key, without a version, that encrypts storage and hub at rest. Empty: keys of the platform.')
param customerKeyUri string = ''

@description('Resource id of the user-assigned identity that may use the customer\'s key; with customerKeyUri only.')
param customerKeyIdentityId string = ''

@description('Locks that keep transcripts, checkpoints and keys from being deleted by mistake.')
param lockResources bool = true

@description('Email addresses that alerts go to.')
param alertEmails array = []

@description('Settings of the function app (docs/settings.md) that differ from their defaults.')
param functionSettings object = {}

@description('Settings of the relays (docs/settings.md) that differ from their defaults.')
param relaySettings object = {}

@description('Secret that keys the digests of what policies mask, 32 random characters or more. Empty: another with every start of a relay.')
@secure()
param maskKey string = ''

@description('Days that logs are kept.')
@minValue(30)
@maxValue(730)
param logDays int = 90

resource group 'Microsoft.Resources/resourceGroups@2024-03-01' = {
  name: resourceGroupName
  location: location
  tags: tags
}

module service 'service.bicep' = {
  scope: group
  name: 'service'
  params: {
    name: name
    location: location
    tags: tags
    tenantIds: tenantIds
    apiClientId: apiClientId
    apiAudience: apiAudience
    pageClientId: pageClientId
    servedSubscriptions: servedSubscriptions
    relayImage: relayImage
    shardCount: shardCount
    drainSeconds: drainSeconds
    durableBackend: durableBackend
    httpConcurrency: httpConcurrency
    readyForHttp: readyForHttp
    readyForLock: readyForLock
    readyForArchive: readyForArchive
    privateNetwork: privateNetwork
    publicEntrance: publicEntrance
    addressPrefix: addressPrefix
    spoolOnShare: spoolOnShare
    pageLocation: pageLocation
    pageOrigin: pageOrigin
    hubPartitions: hubPartitions
    hubThroughputMost: hubThroughputMost
    immutableDays: immutableDays
    customerKeyUri: customerKeyUri
    customerKeyIdentityId: customerKeyIdentityId
    lockResources: lockResources
    alertEmails: alertEmails
    functionSettings: functionSettings
    relaySettings: relaySettings
    maskKey: maskKey
    logDays: logDays
  }
}

module grants 'modules/grants.bicep' = [for id in servedSubscriptions: {
  scope: subscription(id)
  name: 'serial-console-${name}-grants'
  params: {
    name: name
    apiPrincipalId: service.outputs.apiPrincipalId
    relayPrincipalId: service.outputs.relayPrincipalId
    relayRole: relayRole
    switchReads: switchReads
  }
}]

@description('Resource group of the service.')
output resourceGroup string = group.name

@description('The same under the name by which azd looks for what it deploys to.')
output AZURE_RESOURCE_GROUP string = group.name

@description('The API\'s address, ending in /api.')
output apiBase string = service.outputs.apiBase

@description('Address of the page.')
output pageUrl string = service.outputs.pageUrl

@description('Name of the function app.')
output functionAppName string = service.outputs.functionAppName

@description('Name of the static web app that holds the page.')
output staticWebAppName string = service.outputs.staticWebAppName

@description('Registry to push the relay\'s image to.')
output registryLoginServer string = service.outputs.registryLoginServer

@description('Names of the relays\' container apps, in the order of their shards.')
output relayNames array = service.outputs.relayNames

@description('Name of the key vault.')
output keyVaultName string = service.outputs.keyVaultName

@description('Client id of the function app\'s managed identity, which vouches for the API\'s registration.')
output apiIdentityClientId string = service.outputs.apiIdentityClientId

@description('Object id of the function app\'s managed identity: subject of the federated credential.')
output apiPrincipalId string = service.outputs.apiPrincipalId

@description('Object id of the relays\' managed identity: it gets the app role Relay.Attach.')
output relayPrincipalId string = service.outputs.relayPrincipalId

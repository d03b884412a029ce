metadata description = 'The function app on Flex Consumption, and every one of its settings.'

@description('Name of the function app.')
param name string

@description('Region.')
param location string

@description('Tags.')
param tags object

@description('Resource id of its identity.')
param identityId string

@description('Client id of its identity.')
param identityClientId string

@description('Account of the Functions host.')
param hostStorageName string

@description('Container of its packages.')
param packageContainerUri string

@description('Account of the transcripts.')
param transcriptStorageName string

@description('Host name of the hub\'s namespace.')
param hubNamespace string

@description('Name of the hub.')
param hubName string

@description('Key that signs session tokens.')
param sessionKeyUri string

@description('Key that signs statements.')
param statementKeyUri string

@description('Durable Task Scheduler; empty: the task hub is in the host\'s storage.')
param schedulerEndpoint string

@description('Application Insights.')
param insightsConnection string

@description('Names of the relays\' container apps, in the order of their shards.')
param relayNames array

@description('Domain under which the relays have their addresses.')
param relayDomain string

@description('Origin of the page.')
param pageOrigin string

@description('Tenants that may sign in, home first.')
param tenantIds array

@description('Client id of the API\'s app registration.')
param apiClientId string

@description('Application id URI of the API.')
param apiAudience string

@description('Client id of the page\'s app registration.')
param pageClientId string

@description('Subscriptions whose VMs are served.')
param servedSubscriptions array

@description('Settings (docs/settings.md) that differ from their defaults.')
param settings object

@description('Requests at the same time, per instance.')
param httpConcurrency int

@description('Instances always ready for requests.')
param readyForHttp int

@description('Instances always ready for durable functions: the lock.')
param readyForLock int

@description('Instances always ready for the archive, whose trigger is a group of its own.')
param readyForArchive int

@description('Subnet for what it calls; empty: no network.')
param subnetId string

@description('Whether it can be reached from the Internet.')
param public bool

@description('Private endpoints: subnetId and zoneIds; null: none.')
param endpoints object?

@description('Workspace for diagnostics.')
param workspaceId string

var siteDomains = {
  AzureUSGovernment: 'azurewebsites.us'
  AzureChinaCloud: 'chinacloudsites.cn'
}
var host = '${name}.${siteDomains[?environment().name] ?? 'azurewebsites.net'}'

// One address for both: commands come in by the relay's public door too. Here and not where the relays are made: a loop
// of a variable takes nothing that is known only during the deployment.
var relays = [for (relay, shard) in relayNames: 'r${shard}=wss://${relay}.${relayDomain}|https://${relay}.${relayDomain}']

// Every setting that the function app reads; tests/infra holds this list to shared/settings.py.
var everySetting = {
  ENTRA_AUTHORITY: take(environment().authentication.loginEndpoint, length(environment().authentication.loginEndpoint) - 1)
  ENTRA_INSTANCE_DISCOVERY: 'on'
  ARM_ENDPOINT: take(environment().resourceManager, length(environment().resourceManager) - 1)
  SESSION_ISSUER: 'https://${host}'
  RECORDS__fullyQualifiedNamespace: hubNamespace
  RECORDS_HUB: hubName
  COMPATIBILITY: 'current'
  ENTRA_TENANTS: join(tenantIds, ' ')
  API_CLIENT_ID: apiClientId
  API_AUDIENCE: apiAudience
  API_CLIENT_SECRET: ''
  AZURE_CLIENT_ID: identityClientId
  PAGE_CLIENT_ID: pageClientId
  PAGE_AUTHORITY_METADATA: ''
  SUBSCRIPTIONS: join(servedSubscriptions, ' ')
  TRANSCRIPT_STORAGE: transcriptStorageName
  SESSION_KEY: sessionKeyUri
  STATEMENT_KEY: statementKeyUri
  RING_BYTES: '1073741824'
  RING_DAYS: '90'
  SESSION_DAYS: '30'
  READ_DAYS: '400'
  RELAYS: join(relays, ' ')
  SESSION_IDLE_SECONDS: '900'
  SESSION_SECONDS: '28800'
  TOKEN_SECONDS: '30'
  ASK_SECONDS: '20'
  RIGHTS: ''
  POLICY: ''
  CONSOLE_DEFAULT: 'on'
  AZURE_CLOUD: environment().name
  CLOUDS_SERVED: environment().name
  REGIONS_CLOSED: ''
  STORAGE_CHECK: 'on'
  STORAGE_SUFFIX: environment().suffixes.storage
  RATE_CALLER: '120'
  RATE_VM: '60'
  RECHECK_SECONDS: '40'
  CACHE_SECONDS: '15'
  PAGE_ORIGINS: pageOrigin
  TRUSTED_PROXIES: ''
}
// What the Functions host itself reads.
var hostSettings = {
  AzureWebJobsStorage__accountName: hostStorageName
  AzureWebJobsStorage__credential: 'managedidentity'
  AzureWebJobsStorage__clientId: identityClientId
  RECORDS__credential: 'managedidentity'
  RECORDS__clientId: identityClientId
  // At its address without a path the host would show everybody a page about itself.
  AzureWebJobsDisableHomepage: 'true'
  // In the place of host.json's: an instance that is given more requests than it works on lets the others wait.
  AzureFunctionsJobHost__extensions__http__maxConcurrentRequests: string(httpConcurrency)
  AzureFunctionsJobHost__extensions__http__maxOutstandingRequests: string(max(200, 4 * httpConcurrency))
  APPLICATIONINSIGHTS_CONNECTION_STRING: insightsConnection
  APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identityClientId};Authorization=AAD'
}
var durableSettings = empty(schedulerEndpoint) ? {} : {
  DURABLE_TASK_SCHEDULER_CONNECTION_STRING: 'Endpoint=${schedulerEndpoint};Authentication=ManagedIdentity;ClientID=${identityClientId}'
}

resource plan 'Microsoft.Web/serverfarms@2025-03-01' = {
  name: 'plan-${name}'
  location: location
  tags: tags
  sku: {
    name: 'FC1'
    tier: 'FlexConsumption'
  }
  properties: {
    reserved: true
  }
}

resource app 'Microsoft.Web/sites@2025-03-01' = {
  name: name
  location: location
  tags: union(tags, { 'azd-service-name': 'api' })
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${identityId}': {}
    }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    clientCertEnabled: false
    keyVaultReferenceIdentity: identityId
    publicNetworkAccess: public ? 'Enabled' : 'Disabled'
    virtualNetworkSubnetId: empty(subnetId) ? null : subnetId
    siteConfig: {
      minTlsVersion: '1.2'
      scmMinTlsVersion: '1.2'
      ftpsState: 'Disabled'
      http20Enabled: true
    }
    functionAppConfig: {
      runtime: {
        name: 'python'
        version: '3.13'
      }
      deployment: {
        storage: {
          type: 'blobContainer'
          value: packageContainerUri
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: identityId
          }
        }
      }
      scaleAndConcurrency: {
        maximumInstanceCount: 40
        instanceMemoryMB: 2048
        // Flex Consumption scales these apart: HTTP, durable functions, and each other trigger by its function's name.
        alwaysReady: filter([
          { name: 'http', instanceCount: readyForHttp }
          { name: 'durable', instanceCount: readyForLock }
          { name: 'function:archive', instanceCount: readyForArchive }
        ], group => group.instanceCount > 0)
        triggers: {
          http: {
            perInstanceConcurrency: httpConcurrency
          }
        }
      }
    }
  }

  resource configured 'config' = {
    name: 'appsettings'
    properties: union(everySetting, hostSettings, durableSettings, settings)
  }

  resource noPublishingByScm 'basicPublishingCredentialsPolicies' = {
    name: 'scm'
    properties: {
      allow: false
    }
  }

  resource noPublishingByFtp 'basicPublishingCredentialsPolicies' = {
    name: 'ftp'
    properties: {
      allow: false
    }
  }
}

module reached 'endpoint.bicep' = if (endpoints != null) {
  name: 'function-app-endpoint'
  params: {
    name: name
    location: location
    tags: tags
    targetId: app.id
    groupId: 'sites'
    subnetId: endpoints!.subnetId
    zoneId: endpoints!.zoneIds.sites
  }
}

resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'all'
  scope: app
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

@description('Host name of the API.')
output host string = host

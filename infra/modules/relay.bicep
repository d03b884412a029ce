metadata description = 'One relay shard: exactly one replica, which owns its spool. A new revision waits until the old one has drained.'

@description('Name of the container app: the first part of its address.')
param name string

@description('Name of the shard, as RELAYS of the function app has it.')
param shard string

@description('Region.')
param location string

@description('Tags.')
param tags object

@description('Environment that it runs in.')
param environmentId string

@description('Mounted disk of the spool; empty: one that goes with the replica.')
param spoolName string

@description('Registry of the image.')
param registryHost string

@description('Image, by digest.')
param image string

@description('Resource id of the relays\' identity.')
param identityId string

@description('Client id of the relays\' identity.')
param identityClientId string

@description('Seconds that it has to drain.')
param drainSeconds int

@description('Host name of the hub\'s namespace.')
param hubNamespace string

@description('Name of the hub.')
param hubName string

@description('Host name of the function app.')
param apiHost string

@description('Application id URI of the API.')
param apiAudience string

@description('Origin of the page.')
param pageOrigin string

@description('Keys the digests of what policies mask; empty: another with every start.')
@secure()
param maskKey string

@description('Settings (docs/settings.md) that differ from their defaults.')
param settings object

var spool = '/spool'
var port = 8080
var controlPort = 8081

// Every setting that the relay reads; tests/infra holds this list to shared/settings.py.
var everySetting = union({
  AZURE_CLIENT_ID: identityClientId
  ENTRA_AUTHORITY: take(environment().authentication.loginEndpoint, length(environment().authentication.loginEndpoint) - 1)
  ENTRA_INSTANCE_DISCOVERY: 'on'
  ARM_ENDPOINT: take(environment().resourceManager, length(environment().resourceManager) - 1)
  SESSION_ISSUER: 'https://${apiHost}'
  RECORDS: hubNamespace
  RECORDS_HUB: hubName
  COMPATIBILITY: 'current'
  RELAY_NAME: shard
  RELAY_HOST: '0.0.0.0'
  RELAY_PORT: string(port)
  RELAY_CONTROL_PORT: string(controlPort)
  CONTROL_PLANE: 'https://${apiHost}/api'
  API_AUDIENCE: apiAudience
  PAGE_ORIGINS: pageOrigin
  SPOOL_DIR: '${spool}/records'
  SPOOL_BYTES: '268435456'
  SPOOL_WAIT_SECONDS: '600'
  HEARTBEAT_SECONDS: '5'
  SCROLLBACK_BYTES: '262144'
  CAPTURE_MOST: '50'
  LINGER_SECONDS: '20'
}, settings)
var variables = map(items(everySetting), each => { name: each.key, value: string(each.value) })
var masks = empty(maskKey) ? [] : [{ name: 'MASK_KEY', secretRef: 'mask-key' }]

resource relay 'Microsoft.App/containerApps@2026-01-01' = {
  name: name
  location: location
  tags: tags
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${identityId}': {}
    }
  }
  properties: {
    environmentId: environmentId
    workloadProfileName: 'Consumption'
    configuration: {
      activeRevisionsMode: 'Single'
      maxInactiveRevisions: 5
      secrets: empty(maskKey) ? [] : [
        {
          name: 'mask-key'
          value: maskKey
        }
      ]
      registries: [
        {
          server: registryHost
          identity: identityId
        }
      ]
      ingress: {
        external: true
        targetPort: port
        transport: 'http'
        allowInsecure: false
      }
    }
    template: {
      terminationGracePeriodSeconds: drainSeconds
      scale: {
        minReplicas: 1
        maxReplicas: 1
      }
      containers: [
        {
          name: 'relay'
          image: image
          env: concat(variables, masks)
          resources: {
            cpu: json('1.0')
            memory: '2Gi'
          }
          volumeMounts: [
            {
              volumeName: 'spool'
              mountPath: spool
            }
          ]
          probes: [
            {
              type: 'Startup'
              tcpSocket: {
                port: controlPort
              }
              periodSeconds: 2
              failureThreshold: 30
            }
            {
              type: 'Liveness'
              tcpSocket: {
                port: controlPort
              }
              periodSeconds: 10
              failureThreshold: 3
            }
            {
              type: 'Readiness'
              httpGet: {
                port: controlPort
                path: '/healthz'
              }
              periodSeconds: 5
              failureThreshold: 2
            }
          ]
        }
      ]
      volumes: [
        empty(spoolName) ? {
          name: 'spool'
          storageType: 'EmptyDir'
        } : {
          name: 'spool'
          storageType: 'NfsAzureFile'
          storageName: spoolName
        }
      ]
    }
  }
}

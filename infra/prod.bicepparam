using 'main.bicep'

// Private by default: page, API and relays are reached over the virtual network.
param name = 'scprod'
param location = readEnvironmentVariable('AZURE_LOCATION', 'westeurope')
param apiClientId = readEnvironmentVariable('API_CLIENT_ID')
param pageClientId = readEnvironmentVariable('PAGE_CLIENT_ID')
param relayImage = readEnvironmentVariable('RELAY_IMAGE', '')
param switchReads = json(readEnvironmentVariable('SWITCH_READS', '[]'))
param maskKey = readEnvironmentVariable('MASK_KEY', '')
param shardCount = 2
param drainSeconds = 120
param immutableDays = 90
param functionSettings = {
  RING_DAYS: '365'
  RING_BYTES: '0'
}
param tags = {
  service: 'serial-console'
  stage: 'prod'
}

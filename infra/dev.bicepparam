using 'main.bicep'

// A small installation to try: one shard, the cheaper lock, reachable from the Internet by whoever may sign in.
param name = 'scdev'
param location = readEnvironmentVariable('AZURE_LOCATION', 'westeurope')
param apiClientId = readEnvironmentVariable('API_CLIENT_ID')
param pageClientId = readEnvironmentVariable('PAGE_CLIENT_ID')
param relayImage = readEnvironmentVariable('RELAY_IMAGE', '')
param switchReads = json(readEnvironmentVariable('SWITCH_READS', '[]'))
param shardCount = 1
param durableBackend = 'storage'
param privateNetwork = false
param publicEntrance = true
param lockResources = false
param hubPartitions = 2
param hubThroughputMost = 2
param logDays = 30
param functionSettings = {
  RING_DAYS: '14'
}
param tags = {
  service: 'serial-console'
  stage: 'dev'
}

using 'main.bicep'

// What `azd up` uses: everything from its environment (azd env set NAME value).
param name = readEnvironmentVariable('SERVICE_NAME', 'scdev')
param location = readEnvironmentVariable('AZURE_LOCATION', 'westeurope')
param apiClientId = readEnvironmentVariable('API_CLIENT_ID')
param pageClientId = readEnvironmentVariable('PAGE_CLIENT_ID')
param relayImage = readEnvironmentVariable('RELAY_IMAGE', '')
param switchReads = json(readEnvironmentVariable('SWITCH_READS', '[]'))
param durableBackend = readEnvironmentVariable('DURABLE_BACKEND', 'storage')
param privateNetwork = bool(readEnvironmentVariable('PRIVATE_NETWORK', 'true'))
param publicEntrance = bool(readEnvironmentVariable('PUBLIC_ENTRANCE', 'false'))

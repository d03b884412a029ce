"""What differs from cloud to cloud and cannot be told from an address, by the names that `az cloud` has."""

from collections.abc import Mapping

VAULTS: Mapping[str, str] = {
    "AzureCloud": "https://vault.azure.net",
    "AzureUSGovernment": "https://vault.usgovcloudapi.net",
    "AzureChinaCloud": "https://vault.azure.cn",
}
"""The audience of key vaults."""
FEDERATION: Mapping[str, str] = {
    "AzureCloud": "api://AzureADTokenExchange",
    "AzureUSGovernment": "api://AzureADTokenExchangeUSGov",
    "AzureChinaCloud": "api://AzureADTokenExchangeChina",
}
"""The audience of a managed identity's token that vouches for an application."""

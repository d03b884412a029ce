"""Values that differ between clouds and do not follow from an address. The keys are the names of `az cloud`."""

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
"""Audience of a managed identity's token that proves the identity of an application (federated credential)."""

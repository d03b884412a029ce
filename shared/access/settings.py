"""The settings of access: clouds, sign-in, rights, policies and rate limits."""

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_network

from shared.access.compatibility import Compatibility
from shared.access.policy import Level, Network
from shared.access.policy_codec import levels_from_text
from shared.access.rights import Right, overridden
from shared.base.settings import Settings, on_or_off, setting, words


def _compatibility(text: str) -> Compatibility:
    if text.lower() not in Compatibility:
        raise ValueError("write off, current or older")
    return Compatibility(text.lower())


def _networks(text: str) -> tuple[Network, ...]:
    return tuple(ip_network(word) for word in words(text))


@dataclass(frozen=True, slots=True, kw_only=True)
class CommonSettings(Settings):
    """The settings of the function app and of the relay."""

    authority: str = setting("ENTRA_AUTHORITY", "sign-in authority of the cloud", "https://login.microsoftonline.com")
    instance_discovery: bool = setting(
        "ENTRA_INSTANCE_DISCOVERY",
        "on, or off in a cloud that Microsoft's public directory does not know",
        "on",
        read=on_or_off,
    )
    arm: str = setting("ARM_ENDPOINT", "Azure Resource Manager of the cloud", "https://management.azure.com")
    issuer: str = setting("SESSION_ISSUER", "who issues session tokens: the function app's public address")
    records: str = setting(
        "RECORDS",
        "Event Hubs of the records: a connection string, or a namespace (name.servicebus.windows.net), which the "
        "function app's trigger wants as RECORDS__fullyQualifiedNamespace",
        also="RECORDS__fullyQualifiedNamespace",
    )
    records_hub: str = setting("RECORDS_HUB", "name of the Event Hub", "records")
    compatibility: Compatibility = setting(  # noqa: RUF009 - a field, like the others
        "COMPATIBILITY",
        "clients of Microsoft.SerialConsole: off, current, or older: also those whose tokens travel in an address",
        "current",
        read=_compatibility,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessSettings(CommonSettings):
    """The settings that say who may do what."""

    tenants: tuple[str, ...] = setting(
        "ENTRA_TENANTS",
        "tenant ids whose tokens are accepted; the first is home: its app roles alone make administrators and relays",
        read=words,
    )
    api_client: str = setting("API_CLIENT_ID", "client id of the API's app registration")
    api_audience: str = setting("API_AUDIENCE", "application id URI of the API, for example api://{client id}")
    api_secret: str = setting(
        "API_CLIENT_SECRET", "secret for on-behalf-of; empty: the managed identity vouches for the app", ""
    )
    identity_client: str = setting(
        "AZURE_CLIENT_ID", "client id of the app's user-assigned managed identity; empty: the system-assigned one", ""
    )
    subscriptions: tuple[str, ...] = setting("SUBSCRIPTIONS", "subscription ids whose VMs are listed", read=words)
    rights: Mapping[Right, tuple[str, ...]] = setting(
        "RIGHTS",
        "rights whose Azure actions differ from the table in docs/access.md: JSON, a right and its actions",
        "",
        read=overridden,
    )
    policy: tuple[Level, ...] = setting(
        "POLICY",
        "policies that hold whatever is set through the API: JSON, a scope and its policy",
        "",
        read=levels_from_text,
    )
    console_default: bool = setting(
        "CONSOLE_DEFAULT", "on, or off where no policy switches the console on", "on", read=on_or_off
    )
    cloud: str = setting("AZURE_CLOUD", "the cloud this is installed in", "AzureCloud")
    clouds: tuple[str, ...] = setting("CLOUDS_SERVED", "clouds whose VMs are served", "AzureCloud", read=words)
    closed_regions: tuple[str, ...] = setting(
        "REGIONS_CLOSED",
        "regions whose VMs are not served; preview: those that the preview of 2018 left out",
        "",
        read=words,
    )
    storage_check: bool = setting(
        "STORAGE_CHECK",
        "on, or off to ask nothing of a VM's own boot-diagnostics account",
        "on",
        read=on_or_off,
    )
    storage_suffix: str = setting("STORAGE_SUFFIX", "the cloud's storage addresses end so", "core.windows.net")
    caller_rate: int = setting(
        "RATE_CALLER", "requests that change something, per caller and minute", "120", read=int, least=1
    )
    vm_rate: int = setting("RATE_VM", "sessions and power acts per VM and minute", "60", read=int, least=1)
    recheck_seconds: int = setting(
        "RECHECK_SECONDS", "time between two looks at a live session's rights", "40", read=int
    )
    cache_seconds: int = setting(
        "CACHE_SECONDS", "how long an answer of Azure about rights and locks is kept", "15", read=int
    )
    trusted_proxies: tuple[Network, ...] = setting(
        "TRUSTED_PROXIES",
        "networks of proxies of one's own, whose X-Forwarded-For is believed",
        "",
        read=_networks,
    )

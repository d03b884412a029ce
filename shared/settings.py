"""The only reader of the environment. Every setting: its name, its meaning, its unit, its default.

`local.settings.sample.json` and docs/settings.md are tested against this module.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from ipaddress import ip_network
from typing import Any, Self

from shared.domain.compatibility import Compatibility
from shared.domain.policy import Level, Network
from shared.domain.policy_codec import levels_from_text
from shared.domain.rights import Right, overridden
from shared.ports import Relay


class BadSetting(Exception):
    """A setting is missing or not readable; the text names it and says what it should be. Never its value."""


def _setting(name: str, meaning: str, default: str | None = None, *, also: str = "", least: int = 0) -> Any:
    """A dataclass field read from the environment variable `name`, or from `also`, the spelling that a Functions
    binding demands for the same thing; without a default it must be set. A number is `least` or more.
    """
    return field(metadata={"name": name, "meaning": meaning, "default": default, "also": also, "least": least})


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.replace(",", " ").split())


def _relays(text: str) -> tuple[Relay, ...]:
    """`name=wss://address|https://control`, separated by white space."""
    relays = []
    for word in text.split():
        name, _, addresses = word.partition("=")
        address, _, control = addresses.partition("|")
        if not (name and address.startswith(("ws://", "wss://")) and control.startswith(("http://", "https://"))):
            raise ValueError("write name=wss://address|https://control address, separated by spaces")
        relays.append(Relay(name, address, control))
    return tuple(relays)


def _switch(text: str) -> bool:
    if text.lower() not in ("on", "off"):
        raise ValueError("write on or off")
    return text.lower() == "on"


def _compatibility(text: str) -> Compatibility:
    if text.lower() not in Compatibility:
        raise ValueError("write off, current or older")
    return Compatibility(text.lower())


def _networks(text: str) -> tuple[Network, ...]:
    return tuple(ip_network(word) for word in _words(text))


_READERS: dict[Any, Any] = {
    str: str,
    int: int,
    Mapping[Right, tuple[str, ...]]: overridden,
    tuple[Level, ...]: levels_from_text,
    tuple[Network, ...]: _networks,
    bool: _switch,
    Compatibility: _compatibility,
    tuple[str, ...]: _words,
    tuple[Relay, ...]: _relays,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Settings:
    @classmethod
    def read(cls, environment: Mapping[str, str] | None = None) -> Self:
        """Raises BadSetting for the first setting that is missing or wrong."""
        found = os.environ if environment is None else environment
        return cls(**{f.name: _read(f.metadata, f.type, found) for f in fields(cls)})


def _read(about: Mapping[str, Any], kind: Any, environment: Mapping[str, str]) -> Any:
    text = environment.get(about["name"]) or environment.get(about["also"]) or about["default"]
    if text is None:
        raise BadSetting(f"{about['name']} is not set: {about['meaning']}")
    try:
        value = _READERS[kind](text)
    except ValueError as error:
        raise BadSetting(f"{about['name']} cannot be read ({about['meaning']}): {error}") from error
    if kind is int and value < about["least"]:
        raise BadSetting(f"{about['name']} cannot be read ({about['meaning']}): write {about['least']} or more")
    return value


@dataclass(frozen=True, slots=True, kw_only=True)
class Common(_Settings):
    """What the function app and the relay both read."""

    authority: str = _setting("ENTRA_AUTHORITY", "sign-in authority of the cloud", "https://login.microsoftonline.com")
    instance_discovery: bool = _setting(
        "ENTRA_INSTANCE_DISCOVERY", "on, or off in a cloud that Microsoft's public directory does not know", "on"
    )
    arm: str = _setting("ARM_ENDPOINT", "Azure Resource Manager of the cloud", "https://management.azure.com")
    issuer: str = _setting("SESSION_ISSUER", "who issues session tokens: the function app's public address")
    records: str = _setting(
        "RECORDS",
        "Event Hubs of the records: a connection string, or a namespace (name.servicebus.windows.net), which the "
        "function app's trigger wants as RECORDS__fullyQualifiedNamespace",
        also="RECORDS__fullyQualifiedNamespace",
    )
    records_hub: str = _setting("RECORDS_HUB", "name of the Event Hub", "records")
    compatibility: Compatibility = _setting(  # noqa: RUF009 - a field, like the others
        "COMPATIBILITY",
        "clients of Microsoft.SerialConsole: off, current, or older: also those whose tokens travel in an address",
        "current",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionSettings(Common):
    """The function app's settings."""

    tenants: tuple[str, ...] = _setting(
        "ENTRA_TENANTS",
        "tenant ids whose tokens are accepted; the first is home: its app roles alone make administrators and relays",
    )
    api_client: str = _setting("API_CLIENT_ID", "client id of the API's app registration")
    api_audience: str = _setting("API_AUDIENCE", "application id URI of the API, for example api://{client id}")
    api_secret: str = _setting(
        "API_CLIENT_SECRET", "secret for on-behalf-of; empty: the managed identity vouches for the app", ""
    )
    identity_client: str = _setting(
        "AZURE_CLIENT_ID", "client id of the app's user-assigned managed identity; empty: the system-assigned one", ""
    )
    page_client: str = _setting("PAGE_CLIENT_ID", "client id of the page's app registration")
    page_authority_metadata: str = _setting(
        "PAGE_AUTHORITY_METADATA",
        "OpenID configuration (JSON) handed to the page's sign-in library, for clouds it does not know",
        "",
    )
    subscriptions: tuple[str, ...] = _setting("SUBSCRIPTIONS", "subscription ids whose VMs are listed")
    storage: str = _setting("TRANSCRIPT_STORAGE", "storage of transcripts: a connection string, or an account's name")
    session_key: str = _setting(
        "SESSION_KEY",
        "what signs session tokens: address of an EC P-256 key in a Key Vault, without a version; or private keys "
        "(PEM), of which the first signs",
    )
    statement_key: str = _setting(
        "STATEMENT_KEY",
        "what signs checkpoints of transcripts, as SESSION_KEY, and another key than that",
    )
    ring_bytes: int = _setting(
        "RING_BYTES", "bytes of each VM's transcript that are kept, as they are stored; 0: all", str(1 << 30)
    )
    ring_days: int = _setting("RING_DAYS", "how long a VM's transcript is kept, days; 0: for ever", "90")
    session_days: int = _setting(
        "SESSION_DAYS", "how long sessions and requests for approval that are over can be looked up, days", "30"
    )
    read_days: int = _setting("READ_DAYS", "how long it is known who read a transcript, days; 0: for ever", "400")
    relays: tuple[Relay, ...] = _setting("RELAYS", "relay shards: name=wss://address|https://control ...")
    idle_seconds: int = _setting("SESSION_IDLE_SECONDS", "a session ends when nothing is typed for so long", "900")
    session_seconds: int = _setting("SESSION_SECONDS", "a session ends after so long", "28800")
    token_seconds: int = _setting("TOKEN_SECONDS", "life of a session token, at most 30", "30")
    ask_seconds: int = _setting("ASK_SECONDS", "how long a writer has to refuse a takeover that asks", "20")
    rights: Mapping[Right, tuple[str, ...]] = _setting(
        "RIGHTS",
        "rights whose Azure actions differ from the table in docs/access.md: JSON, a right and its actions",
        "",
    )
    policy: tuple[Level, ...] = _setting(
        "POLICY", "policies that hold whatever is set through the API: JSON, a scope and its policy", ""
    )
    console_default: bool = _setting("CONSOLE_DEFAULT", "on, or off where no policy switches the console on", "on")
    cloud: str = _setting("AZURE_CLOUD", "the cloud this is installed in", "AzureCloud")
    clouds: tuple[str, ...] = _setting("CLOUDS_SERVED", "clouds whose VMs are served", "AzureCloud")
    closed_regions: tuple[str, ...] = _setting(
        "REGIONS_CLOSED", "regions whose VMs are not served; preview: those that the preview of 2018 left out", ""
    )
    storage_check: bool = _setting(
        "STORAGE_CHECK", "on, or off to ask nothing of a VM's own boot-diagnostics account", "on"
    )
    storage_suffix: str = _setting("STORAGE_SUFFIX", "the cloud's storage addresses end so", "core.windows.net")
    caller_rate: int = _setting("RATE_CALLER", "requests that change something, per caller and minute", "120", least=1)
    vm_rate: int = _setting("RATE_VM", "sessions and power acts per VM and minute", "60", least=1)
    recheck_seconds: int = _setting("RECHECK_SECONDS", "time between two looks at a live session's rights", "40")
    cache_seconds: int = _setting("CACHE_SECONDS", "how long an answer of Azure about rights and locks is kept", "15")
    origins: tuple[str, ...] = _setting("PAGE_ORIGINS", "origins whose pages may call the API or connect", "")
    trusted_proxies: tuple[Network, ...] = _setting(
        "TRUSTED_PROXIES", "networks of proxies of one's own, whose X-Forwarded-For is believed", ""
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class RelaySettings(Common):
    """The relay's settings."""

    name: str = _setting("RELAY_NAME", "this shard's name, as RELAYS of the function app has it")
    host: str = _setting("RELAY_HOST", "address to listen on", "0.0.0.0")  # noqa: S104 - a container's default
    port: int = _setting("RELAY_PORT", "port for browsers' WebSockets", "8080")
    control_port: int = _setting("RELAY_CONTROL_PORT", "port for control, health and metrics", "8081")
    control_plane: str = _setting("CONTROL_PLANE", "the function app's API, ending in /api")
    control_plane_audience: str = _setting("API_AUDIENCE", "application id URI of the API")
    origins: tuple[str, ...] = _setting("PAGE_ORIGINS", "origins whose pages may call the API or connect")
    spool: str = _setting("SPOOL_DIR", "folder of the spool: a disk that outlives the process")
    spool_bytes: int = _setting("SPOOL_BYTES", "bytes spooled before VMs are paused", str(256 * 1024 * 1024))
    spool_wait: int = _setting(
        "SPOOL_WAIT_SECONDS", "how long to wait for a relay before this one to let go of the spool's folder", "600"
    )
    heartbeat_seconds: int = _setting("HEARTBEAT_SECONDS", "time between heartbeats, seconds", "5")
    scrollback_bytes: int = _setting(
        "SCROLLBACK_BYTES", "printed bytes kept per console for those who attach", "262144"
    )
    mask_key: str = _setting(
        "MASK_KEY",
        "secret that keys the digests of what policies mask, 32 random characters or more; empty: another with every "
        "start, and no digest can be tried later",
        "",
    )
    capture_most: int = _setting(
        "CAPTURE_MOST", "consoles that are recorded without a viewer, where policies want it; 0: none", "50"
    )
    linger_seconds: int = _setting(
        "LINGER_SECONDS", "how long a VM's port stays open after the last one left, to resume without a gap", "20"
    )


def names(of: type[_Settings]) -> dict[str, tuple[str, str | None]]:
    """Every setting's name with its meaning and its default (None: must be set)."""
    return {f.metadata["name"]: (f.metadata["meaning"], f.metadata["default"]) for f in fields(of)}

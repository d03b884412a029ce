"""What the host is told: host.json, local.settings.json, and app settings, which are environment variables."""

import json
import os
import re
import sys
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

FROM_START, FROM_END = "-1", "@latest"
"""Starting positions as the Event Hubs SDK spells them."""


class SettingMissing(LookupError):
    """An app setting that a binding names is not in the environment."""


@dataclass(frozen=True)
class HttpSettings:
    """The section `http`. Where plans scale to zero the real host's limits are 100 and 200; elsewhere there are none.

    Azure/azure-functions-host, ScriptHostBuilderExtensions (DefaultConsumptionHttpOptions).
    """

    route_prefix: str = "api"
    concurrent: int = 100
    """Requests that functions work on at the same time, at most; the others wait."""
    outstanding: int = 200
    """Requests at work and waiting, at most; the others get 429."""
    custom_headers: dict[str, str] = field(default_factory=dict)
    """Added to every answer that has not set them."""


@dataclass(frozen=True)
class HostSettings:
    """What host.json says about the parts that exist here, with the real host's defaults."""

    http: HttpSettings = field(default_factory=HttpSettings)
    durable_task: dict[str, Any] = field(default_factory=dict)
    """The section of the Durable Task extension, as it is."""
    limit: float | None = 30 * 60.0
    """Seconds of `functionTimeout`; None: there is no limit. The default is that of Flex Consumption."""
    event_batch: int = 100
    """Events handed to one invocation, at most."""
    initial_position: str | datetime = field(default=FROM_START)
    """Where a partition without a checkpoint begins."""
    balancing_interval: float = 30.0
    """Seconds between two looks at who reads which partition.

    This and the next: Azure/azure-sdk-for-net, EventProcessorOptions (10 and 30 s until 5.7.0), and EventHubOptions of
    the extension, which takes both from host.json.
    """
    ownership_expiry: float = 120.0
    """Seconds after which a partition whose host does not renew it is anybody's."""


def read_host_settings(app_dir: Path) -> HostSettings:
    """Reads host.json.

    Raises:
        FileNotFoundError: a folder without host.json is no function app.

    """
    told = json.loads((app_dir / "host.json").read_text())
    extensions = told.get("extensions", {})
    hubs = extensions.get("eventHubs", {})
    return HostSettings(
        http=_http(extensions.get("http", {})),
        durable_task=extensions.get("durableTask", {}),
        limit=_seconds(told.get("functionTimeout", "00:30:00")),
        event_batch=int(hubs.get("maxEventBatchSize", 100)),
        initial_position=_initial_position(hubs.get("initialOffsetOptions", {})),
        balancing_interval=_span(hubs.get("loadBalancingUpdateInterval", "00:00:30")),
        ownership_expiry=_span(hubs.get("partitionOwnershipExpirationInterval", "00:02:00")),
    )


def _http(section: dict[str, Any]) -> HttpSettings:
    return HttpSettings(
        route_prefix=section.get("routePrefix", "api").strip("/"),
        concurrent=_limit(section.get("maxConcurrentRequests", HttpSettings.concurrent)),
        outstanding=_limit(section.get("maxOutstandingRequests", HttpSettings.outstanding)),
        custom_headers=dict(section.get("customHeaders", {})),
    )


def _seconds(span: str) -> float | None:
    """Of `hh:mm:ss`; -1 is no limit."""
    return None if span == "-1" else _span(span)


def _span(span: str) -> float:
    hours, minutes, seconds = (float(part) for part in span.split(":"))
    return (hours * 60 + minutes) * 60 + seconds


def _limit(number: int) -> int:
    """-1 is none."""
    return sys.maxsize if number < 0 else number


def _initial_position(options: dict[str, Any]) -> str | datetime:
    match options.get("type", "fromStart"):
        case "fromStart":
            return FROM_START
        case "fromEnd":
            return FROM_END
        case "fromEnqueuedTime":
            return datetime.fromisoformat(options["enqueuedTimeUtc"])
        case other:
            raise ValueError(f"host.json: initialOffsetOptions.type {other!r} is none of the host's")


def load_local_settings(app_dir: Path) -> list[str]:
    """Sets the values of local.settings.json into the environment, as `func start` does; answers the names it set.

    What the environment already holds stays.

    Raises:
        ValueError: the file is encrypted; only Microsoft's tools can read it then.

    """
    path = app_dir / "local.settings.json"
    if not path.exists():
        return []
    settings = json.loads(path.read_text())
    if settings.get("IsEncrypted"):
        raise ValueError(f"{path} is encrypted; run `func settings decrypt`")
    new = {name: str(value) for name, value in settings.get("Values", {}).items() if name not in os.environ}
    os.environ.update(new)
    return list(new)


def setting(name: str) -> str:
    """The app setting `name`.

    Raises:
        SettingMissing: it is not set, or empty.

    """
    if value := os.environ.get(name):
        return value
    raise SettingMissing(f"app setting {name} is not set")


def resolve(text: str) -> str:
    """Replaces each `%NAME%` by that app setting.

    Raises:
        SettingMissing: one of them is not set.

    """
    return re.sub(r"%([^%]+)%", lambda match: setting(match[1]), text)


@dataclass(frozen=True)
class HubConnection:
    """How to reach an Event Hubs namespace: by connection string, or by host name and the app's own identity."""

    connection_string: str | None = None
    namespace: str | None = None


def hub_connection(name: str) -> HubConnection:
    """The connection that a binding's `connection` names.

    Raises:
        SettingMissing: neither `NAME` nor `NAME__fullyQualifiedNamespace` is set.

    """
    if namespace := os.environ.get(f"{name}__fullyQualifiedNamespace"):
        return HubConnection(namespace=namespace)
    return HubConnection(connection_string=setting(name))

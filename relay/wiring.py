"""The relay's composition root: builds RelayDependencies from settings and adapters, once, at start."""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from azure.identity.aio import DefaultAzureCredential

from relay.dependencies import RelayDependencies
from relay.log import JsonLog
from relay.recording.epochs import SpooledEpochs
from shared.base.http_json import Http
from shared.base.system_clock import SystemClock
from shared.console.serial.serial_ports import AzureSerialPorts
from shared.session.http.control_plane import ControlPlaneHttp
from shared.session.keys.token_keys import TokenKeys
from shared.settings import RelaySettings
from shared.transcript.eventhub.records import EventHubRecords


@asynccontextmanager
async def composed(settings: RelaySettings) -> AsyncIterator[RelayDependencies]:
    """Yields the dependencies and closes the adapters afterwards. RelayServer.drain closes the epochs.

    Raises SpoolInUse, OSError.
    """
    clock = SystemClock()
    log = JsonLog(settings.name, clock)
    credential = DefaultAzureCredential(
        authority=settings.authority, disable_instance_discovery=not settings.instance_discovery
    )
    records = EventHubRecords(settings.records, settings.records_hub, credential)
    http = Http()
    ports = AzureSerialPorts(settings.arm, credential, http)
    control_plane = ControlPlaneHttp(
        settings.control_plane, settings.control_plane_audience, settings.name, credential, http
    )
    keys = TokenKeys(f"{settings.control_plane}/keys", settings.issuer, settings.name, http, clock)
    try:
        yield RelayDependencies(
            name=settings.name,
            control_plane=control_plane,
            ports=ports,
            keys=keys,
            epochs=SpooledEpochs(Path(settings.spool), settings.spool_bytes, records, clock, log),
            clock=clock,
            log=log,
            nonce=lambda: secrets.randbits(32),
            origins=frozenset(settings.origins),
            scrollback_bytes=settings.scrollback_bytes,
            linger_seconds=settings.linger_seconds,
            heartbeat_seconds=settings.heartbeat_seconds,
            mask_key=settings.mask_key.encode() or secrets.token_bytes(32),
            capture_most=settings.capture_most,
            compatibility=settings.compatibility,
        )
    finally:
        for thing in (ports, http, records, credential):
            await thing.close()

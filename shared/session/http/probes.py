"""Probes of the function app's dependencies, for the health report. Each costs one small call."""

from collections.abc import Sequence
from typing import Any

import aiohttp
from azure.core.credentials_async import AsyncTokenCredential
from azure.data.tables.aio import TableServiceClient
from azure.eventhub.aio import EventHubProducerClient
from azure.storage.blob.aio import BlobServiceClient

from shared.base.http_json import Http
from shared.base.ports import Dependency, Unavailable
from shared.session.settings import SessionSettings

_BROKEN = 500


class HttpProbe:
    """Probes an address. Any status below 500 is healthy, also a 401; if `strictly`, only one below 400."""

    def __init__(self, http: Http, address: str, what: Dependency, *, strictly: bool = False) -> None:
        self._http, self._address, self._what, self._strictly = http, address, what, strictly

    async def __call__(self) -> None:
        try:
            async with self._http.session.get(self._address, allow_redirects=False) as answer:
                if answer.status >= _BROKEN or (self._strictly and not answer.ok):
                    raise Unavailable(self._what, f"answered {answer.status}")
        except aiohttp.ClientError as error:
            raise Unavailable(self._what, type(error).__name__) from error


class BlobsProbe:
    def __init__(self, storage: str, credential: AsyncTokenCredential, suffix: str) -> None:
        retries: dict[str, Any] = {"retry_total": 0}
        if "=" in storage:
            self._client = BlobServiceClient.from_connection_string(storage, **retries)
        else:
            self._client = BlobServiceClient(f"https://{storage}.blob.{suffix}", credential, **retries)

    async def __call__(self) -> None:
        async for _ in self._client.list_containers(results_per_page=1):
            return


class TablesProbe:
    def __init__(self, service: TableServiceClient) -> None:
        self._service = service

    async def __call__(self) -> None:
        async for _ in self._service.list_tables(results_per_page=1):
            return


class EventHubProbe:
    """Probes the Event Hub. It keeps its connection: opening one costs half a second."""

    def __init__(self, settings: SessionSettings, credential: AsyncTokenCredential) -> None:
        self._settings, self._credential = settings, credential
        self._client: EventHubProducerClient | None = None

    async def __call__(self) -> None:
        self._client = self._client or self._connect()
        await self._client.get_eventhub_properties()

    def _connect(self) -> EventHubProducerClient:
        records, hub, retries = self._settings.records, self._settings.records_hub, 0
        if "=" in records:
            return EventHubProducerClient.from_connection_string(records, eventhub_name=hub, retry_total=retries)
        return EventHubProducerClient(records, hub, self._credential, retry_total=retries)


def relay_probes(http: Http, settings: SessionSettings) -> Sequence[tuple[str, HttpProbe]]:
    return [
        (f"relay {relay.name}", HttpProbe(http, f"{relay.control}/healthz", Dependency.RELAY, strictly=True))
        for relay in settings.relays
    ]

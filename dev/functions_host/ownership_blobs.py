"""Who reads which partition: blobs beside the checkpoints, as the Event Hubs extension keeps them.

Azure/azure-sdk-for-net, BlobCheckpointStoreInternal: `.../ownership/ID`, empty, the owner in the metadata `ownerid`;
how old a claim is shows by the blob's own time, and whoever claims names the etag that was seen.
"""

from typing import Protocol

from azure.core import MatchConditions
from azure.core.exceptions import ResourceExistsError, ResourceModifiedError, ResourceNotFoundError
from azure.storage.blob import BlobProperties
from azure.storage.blob.aio import BlobClient

from dev.functions_host.checkpoints import CONTAINER, folder
from dev.functions_host.events import Partition
from dev.functions_host.host_blobs import HostBlobs
from dev.functions_host.ownership import Ownership


class Ownerships(Protocol):
    """Raises whatever its storage raises when that is away."""

    async def kept(self, hub: Partition) -> list[Ownership]:
        """Those of all partitions of `hub`'s hub and consumer group, expired ones too."""

    async def claim(self, partition: Partition, owner: str, etag: str | None) -> Ownership | None:
        """Writes the owner where nobody wrote since `etag` was read; None where somebody did."""


class BlobOwnerships(HostBlobs):
    """Ownerships in the storage that AzureWebJobsStorage names."""

    def __init__(self, connection_string: str) -> None:
        super().__init__(connection_string, CONTAINER)

    async def kept(self, hub: Partition) -> list[Ownership]:
        start = f"{folder(hub)}/ownership/"
        try:
            found = self._container.list_blobs(name_starts_with=start, include=["metadata"])
            return [_ownership(blob.name.removeprefix(start), blob) async for blob in found]
        except ResourceNotFoundError:
            await self._create_container()
            return []

    async def claim(self, partition: Partition, owner: str, etag: str | None) -> Ownership | None:
        blob = self._container.get_blob_client(f"{folder(partition)}/ownership/{partition.id}")
        try:
            await _write(blob, {"ownerid": owner}, etag)
        except (ResourceExistsError, ResourceModifiedError):
            return None
        found = await blob.get_blob_properties()
        return _ownership(partition.id, found) if _owner(found) == owner else None


async def _write(blob: BlobClient, metadata: dict[str, str], etag: str | None) -> None:
    if etag is not None:
        try:
            await blob.set_blob_metadata(metadata, etag=etag, match_condition=MatchConditions.IfNotModified)
        except ResourceNotFoundError:
            pass  # somebody deleted it: it is made anew
        else:
            return
    await blob.upload_blob(b"", overwrite=False, metadata=metadata)


def _owner(blob: BlobProperties) -> str:
    return (blob.metadata or {}).get("ownerid") or ""


def _ownership(partition: str, blob: BlobProperties) -> Ownership:
    return Ownership(partition, _owner(blob), blob.last_modified, blob.etag)

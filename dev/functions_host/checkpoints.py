"""Where each partition's reader is: blobs as the Event Hubs extension keeps them in AzureWebJobsStorage."""

from dataclasses import dataclass
from typing import Protocol

from azure.core.exceptions import ResourceNotFoundError

from dev.functions_host.events import Partition
from dev.functions_host.host_blobs import HostBlobs

CONTAINER = "azure-webjobs-eventhub"


@dataclass(frozen=True)
class Checkpoint:
    """The last event that was handled; the next one is the first to come."""

    sequence_number: int
    offset: str


class Checkpoints(Protocol):
    """Raises whatever its storage raises when that is away."""

    async def read(self, partition: Partition) -> Checkpoint | None:
        """The partition's checkpoint; None where nothing was ever handled."""

    async def write(self, partition: Partition, checkpoint: Checkpoint) -> None:
        """Keeps the checkpoint in place of the one before."""


class BlobCheckpoints(HostBlobs):
    """Checkpoints as blob metadata, under the names of the SDKs' own store: another reader could carry on from them."""

    def __init__(self, connection_string: str) -> None:
        super().__init__(connection_string, CONTAINER)

    async def read(self, partition: Partition) -> Checkpoint | None:
        try:
            found = await self._container.get_blob_client(blob_name(partition)).get_blob_properties()
        except ResourceNotFoundError:
            return None
        return Checkpoint(int(found.metadata["sequencenumber"]), found.metadata["offset"])

    async def write(self, partition: Partition, checkpoint: Checkpoint) -> None:
        metadata = {"sequencenumber": str(checkpoint.sequence_number), "offset": checkpoint.offset}
        blob = self._container.get_blob_client(blob_name(partition))
        try:
            await blob.upload_blob(b"", overwrite=True, metadata=metadata)
        except ResourceNotFoundError:
            await self._create_container()
            await blob.upload_blob(b"", overwrite=True, metadata=metadata)


def blob_name(partition: Partition) -> str:
    """As the SDKs' blob checkpoint stores name it, in lower case."""
    return f"{folder(partition)}/checkpoint/{partition.id}"


def folder(partition: Partition) -> str:
    """What a hub's blobs begin with, for one consumer group."""
    return f"{partition.namespace}/{partition.hub}/{partition.group}".lower()

"""A container in AzureWebJobsStorage, where the host keeps what must outlive it; it is made when it is first needed."""

from azure.core.exceptions import ResourceExistsError
from azure.storage.blob.aio import BlobServiceClient


class HostBlobs:
    """What is kept in one container. Raises whatever its storage raises when that is away."""

    def __init__(self, connection_string: str, container: str) -> None:
        # No retries of its own, which begin with 15 s: whoever asks tries again, and says so.
        self._service = BlobServiceClient.from_connection_string(connection_string, retry_total=0, connection_timeout=2)
        self._container = self._service.get_container_client(container)

    async def close(self) -> None:
        await self._service.close()

    async def _create_container(self) -> None:
        try:
            await self._container.create_container()
        except ResourceExistsError:
            return  # another reader was first

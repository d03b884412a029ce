"""One aiohttp session for the small HTTP conversations: signing keys, relays, health."""

from typing import Any

import aiohttp

from shared.ports import Unavailable

TIMEOUT = aiohttp.ClientTimeout(total=5)


class Http:
    """Opened on first use, inside the event loop; one per process."""

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None

    @property
    def session(self) -> aiohttp.ClientSession:
        if self._session is None or self._session.closed:
            self._session = aiohttp.ClientSession(timeout=TIMEOUT)
        return self._session

    async def get_json(self, address: str, what: str) -> dict[str, Any]:
        """The JSON object at an address. Raises Unavailable, naming `what`."""
        try:
            async with self.session.get(address, allow_redirects=False) as answer:
                answer.raise_for_status()
                document = await answer.json(content_type=None)
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise Unavailable(what, type(error).__name__) from error
        if not isinstance(document, dict):
            raise Unavailable(what, "its answer is not a JSON object")
        return document

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

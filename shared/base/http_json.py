"""The small HTTP conversations between our processes: signing keys, relays, health."""

from typing import Any

import aiohttp

from shared.base import correlation
from shared.base.ports import Dependency, Trouble, Unavailable
from shared.base.refusals import TABLE, Code, Refusal, refuse

TIMEOUT = aiohttp.ClientTimeout(total=5)


_OURS = (Code.CALLER_NOT_AUTHENTICATED, Code.CALLER_NOT_PERMITTED)
"""Refusals that are about the process which called, not about whom it called for."""


class Http:
    """One aiohttp session. Opened on first use, inside the event loop; one per process."""

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None

    @property
    def session(self) -> aiohttp.ClientSession:
        if self._session is None or self._session.closed:
            self._session = aiohttp.ClientSession(timeout=TIMEOUT)
        return self._session

    async def get_json(self, address: str, what: Dependency) -> dict[str, Any]:
        """The JSON object at an address. Raises Unavailable, naming `what`."""
        try:
            async with self.session.get(address, allow_redirects=False) as answer:
                answer.raise_for_status()
                document = await answer.json(content_type=None)
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            kind = Trouble.SILENT if isinstance(error, TimeoutError) else Trouble.AWAY
            raise Unavailable(what, type(error).__name__, kind) from error
        if not isinstance(document, dict):
            raise Unavailable(what, "its answer is not a JSON object")
        return document

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()


def correlated() -> dict[str, str]:
    """The header by which the next process knows which request it works for; none where there is no request."""
    known = correlation.current.get()
    return {correlation.HEADER: known} if known else {}


def refusal_of(what: Dependency, status: int, said: Any, *, which: str = "") -> Refusal:
    """The error envelope back into the refusal it was. Raises Unavailable: it is none, or is about ourselves."""
    try:
        error = said["error"]
        code = Code(error["code"])
        refusal = refuse(code, because=str(error["message"]), target=error.get("target"))
    except (KeyError, TypeError, ValueError) as fault:
        raise Unavailable(what, f"answered {status}", which=which) from fault
    if code in _OURS or TABLE[code].status != status:
        raise Unavailable(what, f"answered {status} {code.value} to us", which=which)
    return refusal

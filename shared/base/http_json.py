"""A client for small JSON calls between our processes: signing keys, relays, health."""

from typing import Any

import aiohttp

from shared.base import correlation
from shared.base.ports import Dependency, Trouble, Unavailable
from shared.base.refusals import TABLE, Code, Refusal, refuse

TIMEOUT = aiohttp.ClientTimeout(total=5)


_ABOUT_THE_CALLING_PROCESS = (Code.CALLER_NOT_AUTHENTICATED, Code.CALLER_NOT_PERMITTED)
"""Refusals of the process that calls, not of the person for whom it calls."""


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
        """Returns the JSON object at an address. Raises Unavailable, which names `what`."""
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
    """Returns the header that carries the correlation id to the next process; empty outside a request."""
    correlation_id = correlation.current.get()
    return {correlation.HEADER: correlation_id} if correlation_id else {}


def refusal_of(what: Dependency, status: int, body: Any, *, which: str = "") -> Refusal:
    """Reads an error envelope back into a refusal. `which` names one of several dependencies of a kind.

    Raises Unavailable if the body is not an envelope, or refuses the calling process itself.
    """
    try:
        error = body["error"]
        code = Code(error["code"])
        refusal = refuse(code, because=str(error["message"]), target=error.get("target"))
    except (KeyError, TypeError, ValueError) as fault:
        raise Unavailable(what, f"answered {status}", which=which) from fault
    if code in _ABOUT_THE_CALLING_PROCESS or TABLE[code].status != status:
        raise Unavailable(what, f"answered {status} {code.value} to us", which=which)
    return refusal

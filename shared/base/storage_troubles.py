"""How tables and blobs fail: what is tried again here, what is handed on, and as which trouble.

The storage throttles by 503 ServerBusy, or 500 OperationTimedOut, at a partition's limit (azure-docs, articles/storage/
tables/scalability-targets.md and blobs/scalability-targets.md). Its clients try that again within seconds; what says
when it wants to be asked again is not waited for in here, and what said nothing is not asked again: the time is gone.
"""

import json
from typing import Any

from azure.core.exceptions import AzureError, HttpResponseError
from azure.core.pipeline.transport import AioHttpTransport

from shared.base import time_limit
from shared.base.azure_troubles import SILENCES, retry_after, troubled
from shared.base.ports import Dependency, Trouble, Unavailable

TABLES, BLOBS = Dependency.STORAGE_TABLES, Dependency.STORAGE_BLOBS
READ_SECONDS = 5.0
"""How long the storage may be silent over one call of a request."""
PATIENT_SECONDS = 30.0
"""The same of work that belongs to no request."""
CONNECT_SECONDS = 3.0
_BUSY, _TOO_MANY = 503, 429
_THROTTLES = frozenset({"ServerBusy", "AccountIsThrottled"})
_TIMED_OUT = "OperationTimedOut"


class StorageTransport(AioHttpTransport):  # type: ignore[misc]  # azure-core exports it lazily
    """What is not to be tried again is raised as no error of the SDK: its clients try all of these again."""

    def __init__(self, what: Dependency) -> None:
        super().__init__(connection_timeout=CONNECT_SECONDS, read_timeout=PATIENT_SECONDS)
        self._what = what

    async def send(self, request: Any, **config: Any) -> Any:
        """Raises Unavailable, and what the SDK raises."""
        if time_limit.current.get():
            config.setdefault("read_timeout", READ_SECONDS)
        try:
            answer = await super().send(request, **config)
        except SILENCES as error:
            raise Unavailable(self._what, "said nothing in time", Trouble.SILENT) from error
        after = retry_after(answer)
        if answer.status_code in (_BUSY, _TOO_MANY) and after is not None:
            raise Unavailable(self._what, "throttles", Trouble.THROTTLED, retry_after=after)
        return answer


def storage_trouble(error: AzureError, what: Dependency) -> Unavailable:
    """What breakage means that the SDK's own tries did not mend. Only the kind of fault is told: the SDK's texts hold
    addresses and signatures.
    """
    code = _code(error)
    if code in _THROTTLES:
        return Unavailable(what, "throttles", Trouble.THROTTLED)
    if code == _TIMED_OUT:
        return Unavailable(what, "did not do it in time", Trouble.SILENT)
    if isinstance(error, HttpResponseError):
        named = f" ({code})" if code else ""
        return Unavailable(what, f"answered {error.status_code}{named}")
    return troubled(error, what)


def _code(error: AzureError) -> str:
    """As the storage writes it; the SDKs have enumerations of those that they know."""
    code = getattr(error, "error_code", None) or _told(error)
    return str(getattr(code, "value", code) or "")


def _told(error: AzureError) -> Any:
    """Of a row that is inserted the tables' SDK raises what it has not looked into: the code is in the body."""
    try:
        return json.loads(error.response.text())["odata.error"]["code"]  # type: ignore[attr-defined]
    except (AttributeError, KeyError, TypeError, ValueError):
        return None

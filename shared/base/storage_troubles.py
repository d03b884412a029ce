"""Decides which failures of tables and blobs are retried, and translates the others into Unavailable.

At the limit of a partition, storage answers 503 ServerBusy or 500 OperationTimedOut (azure-docs, articles/storage/
tables/scalability-targets.md and blobs/scalability-targets.md). Its SDKs retry both within seconds. An answer with
Retry-After is not retried here, and neither is a call that timed out: no time is left for it.
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
"""Seconds that storage may take over one call of a request."""
PATIENT_SECONDS = 30.0
"""The same for work that belongs to no request."""
CONNECT_SECONDS = 3.0
_BUSY, _TOO_MANY = 503, 429
_THROTTLES = frozenset({"ServerBusy", "AccountIsThrottled"})
_TIMED_OUT = "OperationTimedOut"


class StorageTransport(AioHttpTransport):  # type: ignore[misc]  # azure-core exports it lazily
    """Raises Unavailable for failures that must not be retried: the SDK's clients retry every error of the SDK."""

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
    """Translates an error that remained after the SDK's retries. Only its code is kept: the SDK's texts hold addresses
    and signatures.
    """
    code = _code(error)
    if code in _THROTTLES:
        return Unavailable(what, "throttles", Trouble.THROTTLED)
    if code == _TIMED_OUT:
        return Unavailable(what, "did not do it in time", Trouble.SILENT)
    if isinstance(error, HttpResponseError):
        suffix = f" ({code})" if code else ""
        return Unavailable(what, f"answered {error.status_code}{suffix}")
    return troubled(error, what)


def _code(error: AzureError) -> str:
    """Returns the error code as storage writes it. The SDKs turn the codes that they know into enumerations."""
    code = getattr(error, "error_code", None) or _code_in_body(error)
    return str(getattr(code, "value", code) or "")


def _code_in_body(error: AzureError) -> Any:
    """Returns the code in the body. The tables' SDK does not read it when the insert of a row fails."""
    try:
        return json.loads(error.response.text())["odata.error"]["code"]  # type: ignore[attr-defined]
    except (AttributeError, KeyError, TypeError, ValueError):
        return None

"""How Azure Resource Manager fails: what is tried again here, what is handed on, and as which trouble.

It throttles by 429 with Retry-After, and what comes before that time is not processed (Microsoft's article "Understand
how Azure Resource Manager throttles requests"): so nothing that Azure wants to have time for is waited for in here.
"""

from email.utils import parsedate_to_datetime
from typing import Any

from azure.core.exceptions import (
    AzureError,
    DecodeError,
    HttpResponseError,
    ServiceRequestTimeoutError,
    ServiceResponseTimeoutError,
)
from azure.core.pipeline.policies import AsyncRetryPolicy
from azure.core.pipeline.transport import AioHttpTransport

from shared.base.ports import Dependency, Trouble, Unavailable

READ_SECONDS = 5.0
"""How long ARM may be silent over one call. It is not asked again then: the time is gone."""
CONNECT_SECONDS = 3.0
BACKOFF_SECONDS = 0.4
"""The second try comes at once, the third after twice this."""
THROTTLED_SECONDS = 10
"""Where a 429 names no time; ARM's buckets are refilled every second, their providers' within minutes."""
LONGEST_SECONDS = 3600
"""What is handed on of a number that Azure gives."""
REASONED = frozenset({403, 404})
"""Statuses by which ARM says no to the caller, where its own words come with them: a proxy has none."""
_FORBIDDEN, _THROTTLED = 403, 429
SILENCES = (ServiceRequestTimeoutError, ServiceResponseTimeoutError)


class PromptRetries(AsyncRetryPolicy[Any, Any]):
    """Tries again what a second try may mend at once: a cut connection, a 500. Never a 429, nor anything with
    Retry-After, which the SDK's own policy would wait for, nor a question that was met with silence.
    """

    def __init__(self, total: int = 2, **_: Any) -> None:
        """azure-identity makes its own, with options that are not for it."""
        super().__init__(retry_total=total, retry_backoff_factor=BACKOFF_SECONDS, retry_backoff_max=2)

    def is_retry(self, settings: Any, response: Any) -> bool:
        answer = response.http_response
        if answer.status_code == _THROTTLED or answer.headers.get("Retry-After"):
            return False
        return super().is_retry(settings, response)

    def increment(self, settings: Any, response: Any = None, error: Exception | None = None) -> bool:
        return not isinstance(error, SILENCES) and super().increment(settings, response, error)


def prompt_options(total: int = 2) -> dict[str, Any]:
    """What every client of an SDK is made with that asks ARM."""
    return {"retry_policy": PromptRetries(total)}


def prompt_transport(read_seconds: float = READ_SECONDS, **options: Any) -> AioHttpTransport:
    """The bounds of a call are the transport's: options of a client that is given one bound nothing."""
    return AioHttpTransport(connection_timeout=CONNECT_SECONDS, read_timeout=read_seconds, **options)


def troubled(error: AzureError, what: Dependency = Dependency.ARM) -> Unavailable:
    """What breakage of an SDK means. The texts of its errors are left out: they may quote an address."""
    if isinstance(error, DecodeError):  # also a body that broke off
        return Unavailable(what, "its answer cannot be read")
    if isinstance(error, HttpResponseError):
        after = retry_after(error.response)
        if error.status_code == _THROTTLED:
            return Unavailable(what, "throttles", Trouble.THROTTLED, retry_after=after or THROTTLED_SECONDS)
        return Unavailable(what, f"answered {error.status_code}", retry_after=after)
    if isinstance(error, SILENCES):
        return Unavailable(what, "said nothing in time", Trouble.SILENT)
    return Unavailable(what, type(error).__name__)


def not_allowed(error: HttpResponseError, to_do: str) -> Unavailable:
    """ARM's no to the service itself: nothing that a caller lacks."""
    trouble = Trouble.FORBIDDEN if error.status_code == _FORBIDDEN else Trouble.AWAY
    return Unavailable(Dependency.ARM, f"does not let the service {to_do}", trouble)


def retry_after(response: Any) -> int | None:
    """Seconds; None where none are named. Azure writes a number, HTTP allows a date too (RFC 9110, 10.2.3)."""
    headers = response.headers if response is not None else {}
    named = str(headers.get("Retry-After") or "").strip()
    if not named.isascii():
        return None
    seconds = int(named) if named.isdigit() else _until(named, str(headers.get("Date") or ""))
    return None if seconds is None else min(max(seconds, 1), LONGEST_SECONDS)


def _until(named: str, now: str) -> int | None:
    """By the clock of whoever answered."""
    try:
        return int((parsedate_to_datetime(named) - parsedate_to_datetime(now)).total_seconds())
    except (ValueError, TypeError):
        return None

"""Decides which failures of Azure Resource Manager are retried, and translates the others into Unavailable.

ARM throttles with 429 and Retry-After, and does not process a request that comes earlier (Microsoft's article
"Understand how Azure Resource Manager throttles requests"). So a request with Retry-After is never retried here.
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
"""Seconds that ARM may take over one call. A call that times out is not retried: no time is left for it."""
CONNECT_SECONDS = 3.0
BACKOFF_SECONDS = 0.4
"""The second try follows at once, the third after twice this time."""
THROTTLED_SECONDS = 10
"""Used if a 429 names no time. ARM's buckets refill every second, those of its providers within minutes."""
LONGEST_SECONDS = 3600
"""The longest Retry-After that is passed on to a client."""
REASONED = frozenset({403, 404})
"""Statuses by which ARM refuses the caller, if ARM's own error comes with them: an answer of a proxy has none."""
_FORBIDDEN, _THROTTLED = 403, 429
SILENCES = (ServiceRequestTimeoutError, ServiceResponseTimeoutError)


class PromptRetries(AsyncRetryPolicy[Any, Any]):
    """Retries a cut connection and a 500 at once. Never retries a 429, an answer with Retry-After (the SDK's own policy
    would wait for it), or a call that timed out.
    """

    def __init__(self, total: int = 2, **_: Any) -> None:
        """`total`: retries at most. azure-identity constructs this class with further options; they are ignored."""
        super().__init__(retry_total=total, retry_backoff_factor=BACKOFF_SECONDS, retry_backoff_max=2)

    def is_retry(self, settings: Any, response: Any) -> bool:
        answer = response.http_response
        if answer.status_code == _THROTTLED or answer.headers.get("Retry-After"):
            return False
        return super().is_retry(settings, response)

    def increment(self, settings: Any, response: Any = None, error: Exception | None = None) -> bool:
        return not isinstance(error, SILENCES) and super().increment(settings, response, error)


def prompt_options(total: int = 2) -> dict[str, Any]:
    """Returns the options of every SDK client that calls ARM. `total`: retries at most."""
    return {"retry_policy": PromptRetries(total)}


def prompt_transport(read_seconds: float = READ_SECONDS, **options: Any) -> AioHttpTransport:
    """Returns a transport that bounds each call. A client with its own transport ignores timeouts in its options."""
    return AioHttpTransport(connection_timeout=CONNECT_SECONDS, read_timeout=read_seconds, **options)


def troubled(error: AzureError, what: Dependency = Dependency.ARM) -> Unavailable:
    """Translates an error of an SDK. The text of the error is left out: it may quote an address."""
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
    """Translates a refusal of the service's own identity. `to_do` completes "does not let the service ..."."""
    trouble = Trouble.FORBIDDEN if error.status_code == _FORBIDDEN else Trouble.AWAY
    return Unavailable(Dependency.ARM, f"does not let the service {to_do}", trouble)


def retry_after(response: Any) -> int | None:
    """Returns the seconds of Retry-After, 1 to LONGEST_SECONDS; None if there is none.

    Azure writes a number; HTTP allows a date as well (RFC 9110, 10.2.3).
    """
    headers = response.headers if response is not None else {}
    text = str(headers.get("Retry-After") or "").strip()
    if not text.isascii():
        return None
    seconds = int(text) if text.isdigit() else _seconds_until(text, str(headers.get("Date") or ""))
    return None if seconds is None else min(max(seconds, 1), LONGEST_SECONDS)


def _seconds_until(date: str, now: str) -> int | None:
    """Returns the seconds until `date`. `now` is the clock of the server that answered."""
    try:
        return int((parsedate_to_datetime(date) - parsedate_to_datetime(now)).total_seconds())
    except (ValueError, TypeError):
        return None

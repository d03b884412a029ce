"""The id that a request keeps through every process, so that all log lines about it can be found together.

The client may send it as a UUID; otherwise the first process that receives the request makes one. Each task has its
own (a context variable), and adapters send it on in HEADER.
"""

import uuid
from contextvars import ContextVar

HEADER = "x-ms-correlation-request-id"
current: ContextVar[str] = ContextVar("correlation", default="")
"""Empty if the work belongs to no request."""


def given(text: str | None) -> str | None:
    """Returns the id of a header in the canonical form of a UUID; None for other text, which could forge a log line."""
    try:
        return str(uuid.UUID(text or ""))
    except ValueError:
        return None

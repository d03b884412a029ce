"""The id that a request keeps through every hop, so that what each process says about it can be found together.

It is the client's where that is a UUID, else made at the first door. Every line of work has its own (a context
variable); adapters send it on in HEADER.
"""

import uuid
from contextvars import ContextVar

HEADER = "x-ms-correlation-request-id"
current: ContextVar[str] = ContextVar("correlation", default="")
"""Empty where the work belongs to no request."""


def given(text: str | None) -> str | None:
    """The id of a header, as a UUID is written; None for anything else, which could be a forged log line."""
    try:
        return str(uuid.UUID(text or ""))
    except ValueError:
        return None

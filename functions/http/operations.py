"""Descriptions of operations. Each is written where its trigger is registered, so that both change together."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from functions.http.schemas import Schema

READS = (400, 401, 403, 404, 409, 429, 500, 503, 504)
"""Refusal statuses of an operation that changes nothing."""
CHANGES = (*READS[:5], 413, *READS[5:])
AT_THE_LINE = (*CHANGES, 502)
"""Refusal statuses of operations that reach the VM itself."""
CONDITIONAL = (*CHANGES[:5], 412, *CHANGES[5:])
NEVER = (500,)
"""Refusal statuses of public operations."""

OURS, AZURES = "serial console", "Microsoft.SerialConsole"
"""The two APIs; the second is served unless COMPATIBILITY is off."""


@dataclass(frozen=True, slots=True)
class Description:
    """One operation in words and schemas."""

    summary: str
    answers: Mapping[int, Schema | None]
    """The schema of each success status; None for an empty body."""
    refuses: tuple[int, ...] = READS
    """Statuses that carry the error envelope."""
    query: Mapping[str, tuple[str, Schema]] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    """Headers of the request with their descriptions, all optional."""
    response_headers: tuple[str, ...] = ()
    """Headers of the answer that a client reads."""
    body: str | None = None
    """The name of the request body's schema. A body is always required; `{}` is the shortest."""
    media: tuple[str, ...] = ("application/json",)
    extra_methods: tuple[str, ...] = ()
    """Further methods that the function accepts, such as HEAD for health probes."""
    public: bool = False
    dialect: str = OURS


@dataclass(frozen=True, slots=True)
class Operation:
    name: str
    method: str
    address: str
    description: Description


OPERATIONS: dict[str, Operation] = {}
"""Every described operation, by the name of its function."""


def describe(name: str, method: str, address: str, description: Description) -> None:
    """Adds an operation to OPERATIONS."""
    OPERATIONS[name] = Operation(name, method, address, description)

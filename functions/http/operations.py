"""What each operation is: said where its trigger is registered, so that no description outlives its operation."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from functions.http.schemas import Schema

READS = (400, 401, 403, 404, 409, 429, 500, 503, 504)
"""Statuses with which an operation that changes nothing refuses."""
CHANGES = (*READS[:5], 413, *READS[5:])
AT_THE_LINE = (*CHANGES, 502)
"""Those of operations that reach to the VM itself."""
CONDITIONAL = (*CHANGES[:5], 412, *CHANGES[5:])
NEVER = (500,)
"""Those of what is public and always there."""

OURS, AZURES = "serial console", "Microsoft.SerialConsole"
"""The two dialects; the second is served where COMPATIBILITY is not off."""


@dataclass(frozen=True, slots=True)
class Description:
    """One operation in words and schemas."""

    summary: str
    answers: Mapping[int, Schema | None]
    """What comes when it is done, by status; None for nothing."""
    refuses: tuple[int, ...] = READS
    """With the error envelope."""
    query: Mapping[str, tuple[str, Schema]] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    """Of the request, all optional."""
    response_headers: tuple[str, ...] = ()
    """Headers of the answer that a client reads."""
    body: str | None = None
    """The name of the schema of the request's body, which is never left out: `{}` is the shortest."""
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
"""Every operation that is described, by the name of its function."""


def describe(name: str, method: str, address: str, description: Description) -> None:
    """Adds an operation to OPERATIONS."""
    OPERATIONS[name] = Operation(name, method, address, description)

"""What is said under signature about a console's transcript, beside it and out of reach of those who may change it.

A `Checkpoint` says how far the transcript reached and with which running hash; `Dropped`, that retention took its
oldest segments; `HoldPlaced` and `HoldReleased`, that somebody forbade that and allowed it again.
"""

from dataclasses import asdict, dataclass
from typing import Any


class InvalidStatement(ValueError):
    """The claims are not a statement about a transcript."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    console: str
    at: int
    """Seconds since 1970, of the service's clock."""
    segment: int
    offset: int
    """Printed bytes so far."""
    hash: bytes
    """The running hash there."""


@dataclass(frozen=True, slots=True)
class Dropped:
    """Every segment before `segment` may be gone from now on. It is said before the first is deleted."""

    console: str
    at: int
    segment: int
    """The first that is kept."""
    offset: int
    """Printed bytes before it."""
    hash: bytes
    """The running hash before it."""
    why: str
    """`age` or `size`: which limit."""


@dataclass(frozen=True, slots=True)
class HoldPlaced:
    """From now on no segment is dropped."""

    console: str
    at: int
    by: str
    why: str


@dataclass(frozen=True, slots=True)
class HoldReleased:
    console: str
    at: int
    by: str


type Statement = Checkpoint | Dropped | HoldPlaced | HoldReleased

_KINDS: dict[str, type[Checkpoint | Dropped | HoldPlaced | HoldReleased]] = {
    "checkpoint": Checkpoint,
    "dropped": Dropped,
    "held": HoldPlaced,
    "released": HoldReleased,
}
_NAMES = {kind: name for name, kind in _KINDS.items()}


def claims(statement: Statement) -> dict[str, Any]:
    """What is signed."""
    fields = asdict(statement)
    if "hash" in fields:
        fields["hash"] = fields["hash"].hex()
    return {"says": _NAMES[type(statement)], **fields}


def read_statement(signed_claims: dict[str, Any]) -> Statement:
    """Raises InvalidStatement."""
    fields = {name: value for name, value in signed_claims.items() if name not in ("says", "iss")}
    try:
        if "hash" in fields:
            fields["hash"] = bytes.fromhex(fields["hash"])
        statement = _KINDS[signed_claims["says"]](**fields)
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidStatement("not a statement about a transcript") from error
    if not all(isinstance(getattr(statement, name), kind) for name, kind in statement.__annotations__.items()):
        raise InvalidStatement("a statement with a field of another kind than it should be")
    return statement

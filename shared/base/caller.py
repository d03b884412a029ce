"""The caller of a request: a person or an application."""

from dataclasses import dataclass
from enum import StrEnum


class CallerKind(StrEnum):
    USER = "user"
    APPLICATION = "application"


@dataclass(frozen=True, slots=True)
class Caller:
    """A verified caller. `token` is theirs, for on-behalf-of; it never appears in `repr`, logs or stored state."""

    tenant: str
    oid: str
    name: str
    kind: CallerKind
    roles: frozenset[str]
    token: "Secret"
    contexts: frozenset[str] = frozenset()
    """Authentication contexts that the sign-in satisfied (claim `acrs`: c1 to c99)."""
    address: str | None = None
    """IP address of the request; None if it is not known."""
    answers_challenges: bool = False
    """The client said that it can handle a claims challenge (claim `xms_cc`: cp1)."""

    @property
    def subject(self) -> str:
        """Identifies the caller across tenants."""
        return f"{self.tenant}.{self.oid}"


class Secret:
    """A string that does not print itself."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return "Secret(...)"

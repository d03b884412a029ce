"""Refusals as values. Flows return them; the HTTP triggers and the relay translate them."""

from dataclasses import dataclass, replace
from shlex import quote

from shared.base.refusal_table import TABLE, Code

__all__ = ["TABLE", "Code", "Refusal", "foreign_origin", "refuse", "together"]


@dataclass(frozen=True, slots=True)
class Refusal:
    """One refusal with its reason and its remedy. `details` holds the other checks that failed at the same time."""

    code: Code
    message: str
    fix: str
    fix_command: str | None = None
    retry_after: int | None = None
    target: str | None = None
    details: tuple["Refusal", ...] = ()
    claims: str | None = None
    """Claims challenge (JSON) that the client must sign in with; only with MFA_REQUIRED."""

    @property
    def status(self) -> int:
        return TABLE[self.code].status

    @property
    def close_code(self) -> int:
        """The WebSocket close code; 4000 if the table names none, because normally only requests are refused so."""
        return TABLE[self.code].close or 4000

    @property
    def retryable(self) -> bool:
        return self.retry_after is not None


def refuse(
    code: Code,
    *,
    because: str | None = None,
    target: str | None = None,
    caller: str = "{you}",
    claims: str | None = None,
    account: str = "",
    storage: str = "{storage}",
) -> Refusal:
    """Returns the refusal of a code, with the texts of the table.

    `because` replaces the message, for codes without a fixed text of Azure's. `target` is a resource id and `caller` an
    object id, for the command. `account` fills the empty quotes of a message; `storage` is that account's resource id.
    """
    entry = TABLE[code]
    names = {"vm": target or "{vm}", "caller": caller, "storage": storage}
    quoted = {name: value if value.startswith("{") else quote(value) for name, value in names.items()}
    command = entry.fix_command and entry.fix_command.format(**quoted)
    message = because or entry.message.replace("''", f"'{account}'")
    return Refusal(code, message, entry.fix, command, entry.retry_after, target, claims=claims)


def foreign_origin(because: str) -> Refusal:
    """Returns the refusal of a page from an origin that is not allowed. The remedy is a setting, not a permission."""
    fix = "An administrator of the service adds the page's origin to PAGE_ORIGINS, as the browser sends it to the byte."
    return replace(refuse(Code.CALLER_NOT_PERMITTED, because=because), fix=fix)


def together(refusals: list[Refusal]) -> Refusal:
    """Combines refusals: the first one, with the others as its details. Raises ValueError if there is none."""
    first, *others = refusals
    return replace(first, details=tuple(others))

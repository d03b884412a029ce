"""Every reasoned no. A refusal is a value: flows return it, the HTTP skin and the relay translate it."""

from dataclasses import dataclass, replace
from shlex import quote

from shared.base.refusal_table import TABLE, Code

__all__ = ["TABLE", "Code", "Refusal", "foreign_origin", "refuse", "together"]


@dataclass(frozen=True, slots=True)
class Refusal:
    """One reasoned no. `details` holds the other checks that failed at the same time."""

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
        """4000 where the table names none: a session that ends for a reason that only requests know."""
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
    """The refusal as the table has it. `because` replaces the message, for codes whose words are ours to choose.

    `account` goes between the empty quotes of a message; `storage` is that account's resource id.
    """
    entry = TABLE[code]
    names = {"vm": target or "{vm}", "caller": caller, "storage": storage}
    quoted = {name: value if value.startswith("{") else quote(value) for name, value in names.items()}
    command = entry.fix_command and entry.fix_command.format(**quoted)
    message = because or entry.message.replace("''", f"'{account}'")
    return Refusal(code, message, entry.fix, command, entry.retry_after, target, claims=claims)


def foreign_origin(because: str) -> Refusal:
    """To a page elsewhere: what its caller's token lacks is not the matter."""
    fix = "An administrator of the service adds the page's origin to PAGE_ORIGINS, as the browser sends it to the byte."
    return replace(refuse(Code.CALLER_NOT_PERMITTED, because=because), fix=fix)


def together(refusals: list[Refusal]) -> Refusal:
    """Several refusals as one: the first speaks, the others are its details. Raises ValueError when there is none."""
    first, *others = refusals
    return replace(first, details=tuple(others))

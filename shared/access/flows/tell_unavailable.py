"""Turns a dependency that does not answer into a refusal that tells people how long to wait, or where to look."""

from dataclasses import replace
from typing import assert_never

from shared.base.ports import Dependency, Trouble, Unavailable
from shared.base.refusals import Code, Refusal, refuse
from shared.base.time_limit import REQUEST_SECONDS

_NAMES = {
    Dependency.ARM: "Azure Resource Manager",
    Dependency.ENTRA: "Entra ID",
    Dependency.BOOT_DIAGNOSTICS: "Azure's boot diagnostics",
    Dependency.STORAGE_TABLES: "The service's table storage",
    Dependency.STORAGE_BLOBS: "The service's blob storage",
    Dependency.KEY_VAULT: "The service's key vault",
}
_CODES = {
    Trouble.AWAY: Code.AZURE_UNAVAILABLE,
    Trouble.THROTTLED: Code.AZURE_THROTTLED,
    Trouble.SILENT: Code.AZURE_TIMEOUT,
    Trouble.FORBIDDEN: Code.SERVICE_NOT_PERMITTED,
    Trouble.SLOW: Code.AZURE_UNAVAILABLE,
    Trouble.LATE: Code.AZURE_UNAVAILABLE,
}


def tell_unavailable(error: Unavailable, target: str | None = None) -> Refusal:
    """Returns the refusal. Its message names the dependency, never its answer. Azure's Retry-After is passed on."""
    match error.what:
        case Dependency.RELAY:
            return refuse(Code.RELAY_UNAVAILABLE, because=_relay_message(error.trouble), target=target)
        case Dependency.CONSOLE_LOCK:
            late = _late("The lock of this console") if error.trouble is Trouble.LATE else None
            return refuse(Code.LOCK_UNAVAILABLE, because=late, target=target)
        case _:
            return _azure_refusal(error, target)


def _azure_refusal(error: Unavailable, target: str | None) -> Refusal:
    """Returns the refusal for a dependency of Azure. One without a name for people gets the message of the table."""
    name = _NAMES.get(error.what)
    refusal = refuse(_CODES[error.trouble], because=name and _message(name, error), target=target)
    return refusal if error.retry_after is None else replace(refusal, retry_after=error.retry_after)


def _message(name: str, error: Unavailable) -> str:
    match error.trouble:
        case Trouble.AWAY:
            return f"{name} cannot be reached, or answers with an error."
        case Trouble.THROTTLED:
            wait = f" before {error.retry_after} s have passed" if error.retry_after else " for a while"
            return f"{name} throttles: it has been asked too much, and takes no more{wait}."
        case Trouble.SILENT:
            return f"{name} took a question and did not answer it in time."
        case Trouble.FORBIDDEN:
            return f"{name} does not allow the service what this needs. It is not your permission that is missing."
        case Trouble.SLOW:
            return f"{name} answers, but so slowly that the service gave up: it had not all that it needs in time."
        case Trouble.LATE:
            return _late(name)
        case _:
            assert_never(error.trouble)


def _late(name: str) -> str:
    return f"{name} was not asked: what came before had used up the {REQUEST_SECONDS:.0f} s that a request has."


def _relay_message(trouble: Trouble) -> str | None:
    """Returns a message; None keeps that of the table."""
    match trouble:
        case Trouble.SILENT | Trouble.SLOW:
            return "The relay of this console took what it was asked, and did not answer in time. See what came of it."
        case Trouble.LATE:
            return _late("The relay of this console")
        case _:
            return None

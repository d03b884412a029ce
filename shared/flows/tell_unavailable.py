"""What does not answer, as the refusal by which people know what to do: wait, how long, or look elsewhere."""

from dataclasses import replace
from typing import assert_never

from shared.domain.refusals import Code, Refusal, refuse
from shared.ports import Dependency, Trouble, Unavailable

_CODES = {
    Trouble.AWAY: Code.AZURE_UNAVAILABLE,
    Trouble.THROTTLED: Code.AZURE_THROTTLED,
    Trouble.SILENT: Code.AZURE_TIMEOUT,
    Trouble.FORBIDDEN: Code.SERVICE_NOT_PERMITTED,
    Trouble.SLOW: Code.AZURE_UNAVAILABLE,
}


def tell_unavailable(error: Unavailable, target: str | None = None) -> Refusal:
    """The words name who it was, never what they answered. Azure's own number of seconds is handed on."""
    match error.what:
        case Dependency.RELAY:
            return refuse(Code.RELAY_UNAVAILABLE, target=target)
        case Dependency.CONSOLE_LOCK:
            return refuse(Code.LOCK_UNAVAILABLE, target=target)
        case Dependency.ARM:
            return _azures("Azure Resource Manager", error, target)
        case Dependency.ENTRA:
            return _azures("Entra ID", error, target)
        case Dependency.BOOT_DIAGNOSTICS:
            return _azures("Azure's boot diagnostics", error, target)
        case _:
            return _azures(None, error, target)


def _azures(name: str | None, error: Unavailable, target: str | None) -> Refusal:
    """Without a name, the words are the table's."""
    refusal = refuse(_CODES[error.trouble], because=name and _words(name, error), target=target)
    return refusal if error.retry_after is None else replace(refusal, retry_after=error.retry_after)


def _words(name: str, error: Unavailable) -> str:
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
        case _:
            assert_never(error.trouble)

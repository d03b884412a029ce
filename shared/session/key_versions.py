"""Which version of a key signs, and which are public, so that keys rotate and nobody is refused for it.

A new version is public at once, and signs only when everybody who verifies has had time to learn of it: the
function app's instances keep the list of versions for LIST_SECONDS, relays ask again for a key that they do not know
after ten seconds. A version that was superseded stays public for as long as it is enabled: what it signed is still
read, session tokens for half a minute, statements about transcripts for years. Whoever disables a version withdraws
everything that it signed.
"""

from collections.abc import Sequence
from dataclasses import dataclass

LIST_SECONDS = 300
"""How long an instance may go on with the list of versions that it knows."""
PUBLIC_SECONDS = 2 * LIST_SECONDS
"""How long a version is public before it signs: longer than any list is kept."""


@dataclass(frozen=True, slots=True)
class KeyVersion:
    """One version of a key in a vault. Times are seconds since 1970."""

    name: str
    """Of the version, as the vault has it."""
    created: float
    enabled: bool = True
    begins: float = 0.0
    """Not to be used before."""
    ends: float | None = None
    """The vault signs no more with it then."""


def public(versions: Sequence[KeyVersion]) -> list[KeyVersion]:
    """Those whose signatures count, newest first."""
    return sorted((each for each in versions if each.enabled), key=_age, reverse=True)


def signing(versions: Sequence[KeyVersion], now: float) -> KeyVersion | None:
    """The newest that has been public for long enough; of a key that is all new, the oldest. None: there is none that
    the vault would sign with.
    """
    able = [each for each in public(versions) if each.begins <= now and (each.ends is None or now < each.ends)]
    known = (each for each in able if now - each.created >= PUBLIC_SECONDS)
    return next(known, able[-1] if able else None)


def _age(version: KeyVersion) -> tuple[float, str]:
    return version.created, version.name

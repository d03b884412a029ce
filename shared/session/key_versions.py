"""Decides which version of a key signs and which are public, so that a rotation refuses no valid token.

A new version is public at once. It signs only after everybody who verifies has had time to learn of it: instances of
the function app cache the list of versions for LIST_SECONDS, and relays fetch an unknown key again after ten seconds.
A superseded version stays public as long as it is enabled, because its signatures are still verified: session tokens
for half a minute, statements about transcripts for years. Disabling a version revokes everything that it signed.
"""

from collections.abc import Sequence
from dataclasses import dataclass

LIST_SECONDS = 300
"""How long an instance caches the list of versions."""
PUBLIC_SECONDS = 2 * LIST_SECONDS
"""How long a version is public before it signs: longer than any list is cached."""


@dataclass(frozen=True, slots=True)
class KeyVersion:
    """One version of a key in a vault. Times are seconds since 1970."""

    name: str
    """Name of the version in the vault."""
    created: float
    enabled: bool = True
    begins: float = 0.0
    """The version must not be used before this time."""
    ends: float | None = None
    """The vault does not sign with it after this time."""


def public(versions: Sequence[KeyVersion]) -> list[KeyVersion]:
    """Returns the versions whose signatures are accepted, newest first."""
    return sorted((each for each in versions if each.enabled), key=_age, reverse=True)


def signing(versions: Sequence[KeyVersion], now: float) -> KeyVersion | None:
    """Returns the newest version that has been public for long enough; if all are too new, the oldest.

    None if the vault would sign with none of them.
    """
    able = [each for each in public(versions) if each.begins <= now and (each.ends is None or now < each.ends)]
    known = (each for each in able if now - each.created >= PUBLIC_SECONDS)
    return next(known, able[-1] if able else None)


def _age(version: KeyVersion) -> tuple[float, str]:
    return version.created, version.name

"""A viewer of a console: its mode, its limits, and the warnings it was sent."""

from dataclasses import dataclass
from typing import NamedTuple

from shared.base.refusals import TABLE, Code
from shared.console.events import Attach, SessionLimits
from shared.session.grant import Mode

COUNTDOWN = (10, 30, 60, 120)
"""Seconds left at which a viewer is warned, the last mark first."""


class CloseReason(NamedTuple):
    """The reason of a session's end: the code's name, the words, the WebSocket close code."""

    code: str
    message: str
    close: int

    @classmethod
    def of(cls, code: Code) -> "CloseReason":
        return cls(code.value, TABLE[code].message, TABLE[code].close or 4000)


SLOW = CloseReason("SlowConsumer", "Your connection takes less than the VM prints. Connect again to go on.", 4011)
"""The only close reason that is no refusal."""


class LimitWarning:
    """The last warning of a countdown. A limit shorter than a mark skips that mark."""

    __slots__ = ("_last_mark",)

    def __init__(self, limit: int) -> None:
        self._last_mark = limit

    def due(self, left: float) -> int | None:
        """Returns the mark that is due, once each; None if there is none. `left` is in seconds."""
        for mark in COUNTDOWN:
            if left <= mark < self._last_mark:
                self._last_mark = mark
                return mark
        return None


@dataclass(slots=True)
class Viewer:
    """Times are seconds since 1970; `shown_from` is the offset of the first byte not yet in `shown`."""

    session: str
    mode: Mode
    generation: int
    name: str
    subject: str
    limits: SessionLimits
    since: float
    typed_at: float
    shown_from: int
    idle_warned: LimitWarning
    session_warned: LimitWarning
    typed: int = 0
    shown: int = 0
    stalled_at: int | None = None
    """Offset of the first byte that was not sent because the viewer's network is too slow."""
    stalled_since: float = 0.0
    warned_unheard: bool = False
    """The viewer was warned that its typed bytes are not sent."""

    @classmethod
    def of(cls, attach: Attach, now: float, shown_from: int) -> "Viewer":
        return cls(
            attach.session, attach.mode, attach.generation, attach.name, attach.subject, attach.limits,
            now, now, shown_from, LimitWarning(attach.limits.idle_seconds), LimitWarning(attach.limits.session_seconds),
        )  # fmt: skip

    @property
    def writes(self) -> bool:
        return self.mode is Mode.WRITE

    def type(self, count: int, now: float) -> None:
        self.typed += count
        self.typed_at = now

    def expired(self, now: float) -> Code | None:
        """Returns the limit that is reached, or None. Watchers do not type, so only their session's length counts."""
        if now >= self.since + self.limits.session_seconds:
            return Code.SESSION_EXPIRED
        if self.writes and now >= self.typed_at + self.limits.idle_seconds:
            return Code.IDLE_TIMEOUT
        return None

    def countdowns(self, now: float) -> list[tuple[str, int]]:
        """Returns the warnings that are due, as (kind, seconds left)."""
        due = []
        if (left := self.session_warned.due(self.since + self.limits.session_seconds - now)) is not None:
            due.append(("session", left))
        if self.writes:
            if self.limits.idle_seconds - (now - self.typed_at) > COUNTDOWN[-1]:
                self.idle_warned = LimitWarning(self.limits.idle_seconds)
            elif (left := self.idle_warned.due(self.typed_at + self.limits.idle_seconds - now)) is not None:
                due.append(("idle", left))
        return due

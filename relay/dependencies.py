"""What the relay needs of the world beyond shared/ports, in its own words."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from relay.console.output_coalescer import BY_RULE, OpeningWaits
from shared.access.compatibility import Compatibility
from shared.base.archive_progress import RecordedLast
from shared.base.ports import Clock
from shared.base.record import Source
from shared.base.record_end import RecordedTail
from shared.base.refusals import Refusal
from shared.console.ports import Recorder, SerialPorts
from shared.session.grant import Grant
from shared.session.ports import ControlPlane


class Log(Protocol):
    def __call__(self, event: str, /, **fields: Any) -> None:
        """One line about what happened. Never a secret, never what was typed or printed."""
        ...


class Keys(Protocol):
    """Tokens of the function app, verified."""

    async def grant(self, token: str) -> Grant | Refusal:
        """What a session token allows. Raises Unavailable when no key can be had."""
        ...

    async def commanded(self, authorization: str | None, body: bytes) -> bool:
        """Whether this body, byte for byte, is a command of the function app. Raises Unavailable."""
        ...


class Epochs(Protocol):
    """The spool as consoles see it."""

    def begin(self, source: Source) -> Recorder:
        """Raises OSError."""
        ...

    def tail(self, console: str) -> RecordedTail:
        """What was recorded last of this console, for who records it to go on with; empty where nothing is known."""
        ...

    def recorded_last(self, console: str) -> RecordedLast | None:
        """The newest record of this console since the relay started, or of what it found on its disk."""
        ...

    @property
    def full(self) -> bool:
        """At its bound: VMs wait."""
        ...

    @property
    def writable(self) -> bool:
        """False when nothing can be recorded any more."""
        ...

    def watch(self, on_full: Callable[[], None], on_room: Callable[[], None]) -> None: ...

    def tick(self) -> None:
        """A second has passed: what could not be written before may be written now."""
        ...

    def health(self) -> dict[str, Any]:
        """What the health report says of it; `writable` as above."""
        ...

    async def close(self, seconds: float) -> None:
        """Sends what can be sent in so many seconds; the rest stays for the next start."""
        ...


@dataclass(frozen=True, slots=True)
class RelayDependencies:
    """Everything that a test may replace."""

    name: str
    """Of this relay."""
    control_plane: ControlPlane
    ports: SerialPorts
    keys: Keys
    epochs: Epochs
    clock: Clock
    log: Log
    nonce: Callable[[], int]
    """32 random bits."""
    origins: frozenset[str]
    scrollback_bytes: int
    linger_seconds: float
    heartbeat_seconds: float
    mask_key: bytes
    """Keys the digests of what is masked."""
    capture_most: int = 0
    """Consoles that are recorded though nobody is there."""
    waits: OpeningWaits = BY_RULE
    """For what a gateway sends as a port opens."""
    compatibility: Compatibility = Compatibility.CURRENT
    """Which clients of Azure's own serial console are served, in their dialect."""

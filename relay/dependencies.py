"""The ports of the relay: the protocols that its adapters implement, and the object that holds them."""

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
        """Writes one line about an event. No field holds a secret, or bytes that were typed or printed."""
        ...


class Keys(Protocol):
    """Verifies tokens of the function app."""

    async def grant(self, token: str) -> Grant | Refusal:
        """Returns the rights that a session token carries. Raises Unavailable if the keys cannot be fetched."""
        ...

    async def commanded(self, authorization: str | None, body: bytes) -> bool:
        """Returns True if the function app signed exactly this body. Raises Unavailable."""
        ...


class Epochs(Protocol):
    """The spool, as consoles use it."""

    def begin(self, source: Source) -> Recorder:
        """Begins an epoch and returns its recorder. Raises OSError."""
        ...

    def tail(self, console: str) -> RecordedTail:
        """Returns the last recorded bytes of this console; empty if none are known. The caller extends them."""
        ...

    def recorded_last(self, console: str) -> RecordedLast | None:
        """Returns the newest record of this console, from this process or from the files that it found on its disk."""
        ...

    @property
    def full(self) -> bool:
        """True while the spool has reached its limit. VMs are paused then."""
        ...

    @property
    def writable(self) -> bool:
        """False if nothing can be recorded any more."""
        ...

    def watch(self, on_full: Callable[[], None], on_room: Callable[[], None]) -> None: ...

    def tick(self) -> None:
        """Retries writes that failed. Called once a second."""
        ...

    def health(self) -> dict[str, Any]:
        """Returns the spool's part of the health report."""
        ...

    async def close(self, seconds: float) -> None:
        """Sends records for at most `seconds`. The rest stays on the disk for the next start."""
        ...


@dataclass(frozen=True, slots=True)
class RelayDependencies:
    """Everything that a test may replace."""

    name: str
    """The name of this relay."""
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
    """The most consoles that are recorded without a viewer."""
    waits: OpeningWaits = BY_RULE
    """How long the relay waits for the bytes that a gateway sends as a port opens."""
    compatibility: Compatibility = Compatibility.CURRENT
    """The clients of Azure's own serial console that are served in their own protocol."""

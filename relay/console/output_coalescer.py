"""One dial of a VM's port, from the call to the loss: the bridge's ear. Waits for what a gateway sends at the opening.

A source that prints byte by byte (QEMU does) would cost a record, a frame and two system calls for each. So after
a run of tiny prints that nobody's typing caused, a line gathers for a millisecond. What follows a keystroke is
never held back.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

TINY = 16
"""Bytes: a print no longer than this is worth gathering."""
RUN = 8
"""Tiny prints in a row, with nothing typed between them, before gathering starts."""
GATHER_SECONDS = 0.001
RUN_SECONDS = 0.005
"""A longer pause between two prints ends the run."""
BURST_BYTES = 2 << 20
"""What is waited for of a burst: more than a gateway is believed to replay."""
EARLY_BYTES = 2 * BURST_BYTES
"""What is kept of what comes before `opened`; the port of a gateway that sends more is lost."""


@dataclass(frozen=True, slots=True)
class OpeningWaits:
    """How long what comes with an opening is waited for, in seconds. Until then nobody types, and nothing is shown.

    Time alone decides nothing: what comes later is taken for printed now (shared/console/replay.py).
    """

    first: float = 1.0
    """For the first byte."""
    quiet: float = 0.2
    """Of silence that ends the burst."""
    most: float = 2.0
    """In all, from the first byte on: a VM may print without a pause."""


BY_RULE = OpeningWaits()


class OutputCoalescer:
    """A PortListener. Says nothing until `opened`, and nothing more after `drop` or the loss."""

    __slots__ = (
        "_eager",
        "_early",
        "_held",
        "_last",
        "_loop",
        "_lost",
        "_news",
        "_open",
        "_printed",
        "_run",
        "_tell_lost",
        "_timer",
        "flooded",
    )

    def __init__(self, printed: Callable[[bytes], None], lost: Callable[[bool, str], None]) -> None:
        self._printed, self._tell_lost = printed, lost
        self._loop = asyncio.get_running_loop()
        self._open: bool | None = False
        """None: over."""
        self._early = bytearray()
        self._lost: tuple[bool, str] | None = None
        self.flooded = False
        """More came before `opened` than is kept: the port is to be closed."""
        self._news = asyncio.Event()
        """Something happened before `opened`."""
        self._held = bytearray()
        self._timer: asyncio.TimerHandle | None = None
        self._run = 0
        self._last = 0.0
        self._eager = False
        """Something was typed since the last print."""

    @property
    def early(self) -> bytes:
        """What has come so far, before `opened`."""
        return bytes(self._early)

    async def burst(self, waits: OpeningWaits) -> None:
        """Until what comes with the opening has come, as far as can be told; at once when the port is lost."""
        end, seconds = None, waits.first
        while self._open is False and self._lost is None and len(self._early) < BURST_BYTES and seconds > 0:
            self._news.clear()
            try:
                async with asyncio.timeout(seconds):
                    await self._news.wait()
            except TimeoutError:
                break
            end = self._loop.time() + waits.most if end is None else end
            seconds = min(waits.quiet, end - self._loop.time())

    def opened(self, early: bytes) -> None:
        """From now on prints are told; first what is given here of those that came before, then a loss."""
        self._open, self._early = True, bytearray()
        if early:
            self._printed(early)
        if self._lost is not None:
            self.lost(*self._lost)

    def drop(self) -> None:
        """Nothing can be recorded any more: what still comes is not listened to."""
        self._open = None
        self._news.set()
        self._held.clear()
        self.flush()

    def typed(self) -> None:
        """The next print may be an echo: it is not held back."""
        self._eager = True

    def printed(self, data: bytes) -> None:
        if not self._open:
            if self._open is False:
                self._came_early(data)
            return
        if self._timer is not None:
            self._held += data
            return
        if self._eager or len(data) > TINY:
            self._run, self._eager = 0, False
        elif self._streams():
            self._held += data
            self._timer = self._loop.call_later(GATHER_SECONDS, self.flush)
            return
        self._printed(data)

    def _came_early(self, data: bytes) -> None:
        self._news.set()
        if self.flooded:
            return
        self._early += data[: EARLY_BYTES - len(self._early)]
        if len(self._early) == EARLY_BYTES:
            self.flooded, self._lost = True, (False, "flooded")

    def _streams(self) -> bool:
        now = self._loop.time()
        self._run = self._run + 1 if now - self._last < RUN_SECONDS else 0
        self._last = now
        return self._run > RUN

    def flush(self) -> None:
        """Tells what was gathered."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._held:
            held, self._held = bytes(self._held), bytearray()
            self._printed(held)

    def lost(self, taken_over: bool, why: str) -> None:  # noqa: FBT001 - shared.ports.PortListener
        if self._open:
            self.flush()
            self._open = None
            self._tell_lost(taken_over, why)
        elif self._open is False:
            self._lost = (taken_over, why)
            self._news.set()

"""Receives the output of one dial of a VM's port, from the call to the loss.

It waits for the bytes that a gateway sends as the port opens.

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
"""The most bytes of a burst that are waited for. It is more than a gateway is believed to replay."""
EARLY_BYTES = 2 * BURST_BYTES
"""The most bytes that are held before `opened`. The port of a gateway that sends more is lost."""


@dataclass(frozen=True, slots=True)
class OpeningWaits:
    """Seconds to wait for the bytes that come with an opening. Until then nobody types and nothing is shown.

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
    """A PortListener. It reports nothing before `opened`, and nothing after `drop` or the loss."""

    __slots__ = (
        "_change",
        "_eager",
        "_early",
        "_gathered",
        "_last_print",
        "_loop",
        "_lost",
        "_open",
        "_printed",
        "_report_lost",
        "_timer",
        "_tiny_prints",
        "flooded",
    )

    def __init__(self, printed: Callable[[bytes], None], lost: Callable[[bool, str], None]) -> None:
        self._printed, self._report_lost = printed, lost
        self._loop = asyncio.get_running_loop()
        self._open: bool | None = False
        """None: over."""
        self._early = bytearray()
        self._lost: tuple[bool, str] | None = None
        self.flooded = False
        """More came before `opened` than is kept: the port is to be closed."""
        self._change = asyncio.Event()
        """Something happened before `opened`."""
        self._gathered = bytearray()
        self._timer: asyncio.TimerHandle | None = None
        self._tiny_prints = 0
        self._last_print = 0.0
        self._eager = False
        """Something was typed since the last print."""

    @property
    def early(self) -> bytes:
        """The bytes that have come so far, before `opened`."""
        return bytes(self._early)

    async def burst(self, waits: OpeningWaits) -> None:
        """Waits until the opening's bytes have come, as far as can be told. Returns at once if the port is lost."""
        end, seconds = None, waits.first
        while self._open is False and self._lost is None and len(self._early) < BURST_BYTES and seconds > 0:
            self._change.clear()
            try:
                async with asyncio.timeout(seconds):
                    await self._change.wait()
            except TimeoutError:
                break
            end = self._loop.time() + waits.most if end is None else end
            seconds = min(waits.quiet, end - self._loop.time())

    def opened(self, early: bytes) -> None:
        """Begins to report output: first `early`, bytes that came before, then a loss, if there was one."""
        self._open, self._early = True, bytearray()
        if early:
            self._printed(early)
        if self._lost is not None:
            self.lost(*self._lost)

    def drop(self) -> None:
        """Ignores all further output, because nothing can be recorded any more."""
        self._open = None
        self._change.set()
        self._gathered.clear()
        self.flush()

    def typed(self) -> None:
        """Notes that somebody typed. The next print may be an echo, so it is not gathered."""
        self._eager = True

    def printed(self, data: bytes) -> None:
        if not self._open:
            if self._open is False:
                self._came_early(data)
            return
        if self._timer is not None:
            self._gathered += data
            return
        if self._eager or len(data) > TINY:
            self._tiny_prints, self._eager = 0, False
        elif self._is_streaming():
            self._gathered += data
            self._timer = self._loop.call_later(GATHER_SECONDS, self.flush)
            return
        self._printed(data)

    def _came_early(self, data: bytes) -> None:
        self._change.set()
        if self.flooded:
            return
        self._early += data[: EARLY_BYTES - len(self._early)]
        if len(self._early) == EARLY_BYTES:
            self.flooded, self._lost = True, (False, "flooded")

    def _is_streaming(self) -> bool:
        now = self._loop.time()
        self._tiny_prints = self._tiny_prints + 1 if now - self._last_print < RUN_SECONDS else 0
        self._last_print = now
        return self._tiny_prints > RUN

    def flush(self) -> None:
        """Reports the gathered output."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._gathered:
            gathered, self._gathered = bytes(self._gathered), bytearray()
            self._printed(gathered)

    def lost(self, taken_over: bool, why: str) -> None:  # noqa: FBT001 - shared.console.ports.PortListener
        if self._open:
            self.flush()
            self._open = None
            self._report_lost(taken_over, why)
        elif self._open is False:
            self._lost = (taken_over, why)
            self._change.set()

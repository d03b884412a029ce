"""Sends spooled records to the Event Hub, and forgets a record only when the hub has acknowledged it.

One lane per console, one send in flight per lane, so that records arrive in order and a stuck console holds up
no other. The first record after a pause leaves at once; while a send is under way, and for a moment after it
began, the next ones gather. Repeats are harmless: the archiver drops them.
"""

import asyncio
import logging
import random
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from relay.recording.epoch_log import EpochLog
from shared.base.ports import Unavailable
from shared.console.ports import RecordSink

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SendRate:
    """How sends are sized and spaced; times are seconds."""

    batch_bytes: int = 200_000
    batch_records: int = 500
    gather: float = 0.008
    """Least time between the starts of two sends of a console, unless a whole batch waits."""
    first_retry: float = 0.2
    last_retry: float = 5.0


@dataclass(frozen=True, slots=True)
class OutboxHealth:
    oldest_us: int | None
    """Time of the oldest record that the hub has not acknowledged, us since 1970."""
    records: int
    """Not acknowledged."""
    last_error: str | None
    """The last failure since the last success. It holds no secret."""


class Outbox:
    """Carries epochs to a sink. It belongs to one event loop."""

    def __init__(self, sink: RecordSink, rate: SendRate | None = None) -> None:
        self._sink = sink
        self._rate = rate or SendRate()
        self._lanes: dict[str, _Lane] = {}
        self._busy: set[_Lane] = set()
        self._idle = asyncio.Event()
        self._idle.set()
        self._closed = False

    def carry(self, epoch: EpochLog) -> None:
        """Sends the epoch's records, those there and those to come, after those of the console's earlier epochs."""
        console = epoch.source.console
        lane = self._lanes.get(console)
        if lane is None:
            lane = self._lanes[console] = _Lane(self._sink, self._rate)
        epoch.predecessor = next((earlier for earlier in lane.epochs if not earlier.ended), None)
        lane.epochs.append(epoch)
        epoch.arrived = lambda: self._arrived(console, lane)
        if epoch.pending:
            self._arrived(console, lane)

    def epochs(self) -> list[EpochLog]:
        """Returns the epochs that have not ended or are not acknowledged."""
        return [epoch for lane in self._lanes.values() for epoch in lane.epochs]

    def health(self) -> OutboxHealth:
        """Raises OSError when the spool cannot be read back."""
        epochs = self.epochs()
        oldest = [time for epoch in epochs if (time := epoch.oldest_us()) is not None]
        errors = [lane.error for lane in self._lanes.values() if lane.error]
        return OutboxHealth(min(oldest, default=None), sum(epoch.pending for epoch in epochs), next(iter(errors), None))

    async def drain(self, seconds: float) -> bool:
        """Waits for at most `seconds`. Returns True if everything was acknowledged."""
        try:
            async with asyncio.timeout(seconds):
                await self._idle.wait()
        except TimeoutError:
            return False
        return True

    async def close(self) -> None:
        """Stops sending; what is not acknowledged stays in the spool, whose files are closed."""
        self._closed = True
        tasks = [lane.task for lane in self._busy if lane.task]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for epoch in self.epochs():
            epoch.release()

    def _arrived(self, console: str, lane: "_Lane") -> None:
        if self._closed:
            return
        if lane.task is None:
            self._busy.add(lane)
            self._idle.clear()
            lane.task = asyncio.get_running_loop().create_task(lane.run())
            lane.task.add_done_callback(lambda task: self._lane_finished(console, lane, task))
        elif lane.gathering:
            lane.check_batch()

    def _lane_finished(self, console: str, lane: "_Lane", task: asyncio.Task[None]) -> None:
        lane.task = None
        self._busy.discard(lane)
        if not task.cancelled() and (error := task.exception()):
            lane.error = type(error).__name__
            log.error("records of %s stay in the spool until its next record", console, exc_info=error)
        elif lane.waits():
            # A record came after the task's last check and before this callback; `_arrived` saw a task and did nothing.
            self._arrived(console, lane)
        elif not lane.epochs:
            self._lanes.pop(console, None)
        if not self._busy:
            self._idle.set()


class _Lane:
    """The epochs of one console, sent in order, with at most one send in flight."""

    def __init__(self, sink: RecordSink, rate: SendRate) -> None:
        self.epochs: deque[EpochLog] = deque()
        self.task: asyncio.Task[None] | None = None
        self.error: str | None = None
        self.gathering: asyncio.Event | None = None
        """Set while the next batch gathers; it fires when the batch is full."""
        self._sink = sink
        self._rate = rate
        self._began = float("-inf")
        """The start of the last send, by the loop's clock."""

    def waits(self) -> bool:
        return self._next() is not None

    def check_batch(self) -> None:
        """Ends the gathering if a whole batch waits. Called when a record arrived meanwhile."""
        epoch = self._next()
        if self.gathering and epoch and epoch.has_batch(self._rate.batch_bytes, self._rate.batch_records):
            self.gathering.set()

    async def run(self) -> None:
        """Sends until nothing waits."""
        # Only the oldest epoch is sent, and the next send starts after the acknowledgement. So records of a console
        # reach the hub in order, although a send may be repeated.
        while epoch := self._next():
            if not epoch.has_batch(self._rate.batch_bytes, self._rate.batch_records):
                await self._gather()
            batch = epoch.peek(self._rate.batch_bytes, self._rate.batch_records)
            self._began = asyncio.get_running_loop().time()
            await self._send(epoch, batch)
            epoch.acknowledge(len(batch))

    def _next(self) -> EpochLog | None:
        """Returns the oldest epoch with something to send, and drops epochs that are over."""
        for over in [epoch for epoch in self.epochs if epoch.ended and not epoch.pending]:
            self.epochs.remove(over)
        return next((epoch for epoch in self.epochs if epoch.pending), None)

    async def _gather(self) -> None:
        wait = self._began + self._rate.gather - asyncio.get_running_loop().time()
        if wait <= 0:
            return
        self.gathering = asyncio.Event()
        try:
            async with asyncio.timeout(wait):
                await self.gathering.wait()
        except TimeoutError:
            pass  # the usual end: gathered for as long as may be
        finally:
            self.gathering = None

    async def _send(self, epoch: EpochLog, batch: Sequence[bytes]) -> None:
        """Sends a batch, and repeats it until the hub has it."""
        delay = self._rate.first_retry
        while True:
            try:
                await self._sink.send(epoch.source, batch)
            except Unavailable as error:
                if not self.error:
                    log.warning("records of %s wait: %s", epoch.source.console, error)
                self.error = str(error)
            else:
                self.error = None
                return
            # Jitter, so that a hub that comes back is not met by every console at once.
            await asyncio.sleep(delay * random.uniform(0.5, 1))  # noqa: S311 - spreads load, keeps no secret
            delay = min(delay * 2, self._rate.last_retry)

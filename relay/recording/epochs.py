"""Joins spool and outbox for the consoles: begins epochs, reports a full spool, and makes the health report."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

from relay.dependencies import Log
from relay.recording.backlog import Backlog
from relay.recording.epoch_log import EpochLog
from relay.recording.outbox import Outbox
from relay.recording.spool import Spool
from relay.recording.tails import Tails
from shared.base.archive_progress import RecordedLast
from shared.base.ports import Clock
from shared.base.record import Source
from shared.base.record_end import RecordedTail
from shared.console.ports import Recorder, RecordSink

NEWEST_KEPT = 10_000
"""The most consoles whose newest epoch is remembered."""


class SpooledEpochs:
    """Implements relay.dependencies.Epochs."""

    def __init__(self, folder: Path, limit_bytes: int, sink: RecordSink, clock: Clock, log: Log) -> None:
        """Takes up what an earlier process left. Raises SpoolInUse, OSError. Belongs to the running event loop."""
        self._on_full: Callable[[], None] = _nothing
        self._on_room: Callable[[], None] = _nothing
        self._clock = clock
        self._backlog = Backlog(log)
        self._outbox = Outbox(sink)
        self._tails = Tails(folder)
        self._spool = Spool(folder, limit_bytes, on_full=self._full, on_room=self._room, on_gone=self._tails.learn)
        self._newest: OrderedDict[str, EpochLog] = OrderedDict()
        self._older: dict[str, EpochLog] = {}
        """The last epoch before the newest that had a record."""
        for epoch in self._spool.recover(int(clock.now() * 1e6)):
            self._carry(epoch)
        self._tails.take_up()

    def begin(self, source: Source) -> Recorder:
        epoch = self._spool.open(source)
        self._carry(epoch)
        return epoch

    def _carry(self, epoch: EpochLog) -> None:
        self._outbox.carry(epoch)
        console = epoch.source.console
        if (before := self._newest.get(console)) is not None and before.recorded_last.sequence:
            self._older[console] = before
        self._newest[console] = epoch
        self._newest.move_to_end(console)
        if len(self._newest) > NEWEST_KEPT:
            gone, _ = self._newest.popitem(last=False)
            self._older.pop(gone, None)

    def recorded_last(self, console: str) -> RecordedLast | None:
        """Returns the newest record. An epoch that the disk did not take has none, so an older one may answer."""
        for epochs in (self._newest, self._older):
            if (epoch := epochs.get(console)) is not None and epoch.recorded_last.sequence:
                return epoch.recorded_last
        return None

    def tail(self, console: str) -> RecordedTail:
        return self._tails.of(console)

    @property
    def full(self) -> bool:
        return self._spool.is_full

    @property
    def writable(self) -> bool:
        return self._spool.error is None

    def watch(self, on_full: Callable[[], None], on_room: Callable[[], None]) -> None:
        self._on_full, self._on_room = on_full, on_room

    def tick(self) -> None:
        for epoch in self._outbox.epochs():
            epoch.try_write_pending_end()
        if self._backlog.due(now := self._clock.now()):
            self._backlog.check(self.health(), now)

    def _full(self) -> None:
        self._on_full()

    def _room(self) -> None:
        self._on_room()

    def health(self) -> dict[str, Any]:
        try:
            outbox = self._outbox.health()
        except OSError as error:
            return {"writable": False, "spooledBytes": self._spool.spooled_bytes, "spoolError": error.strerror}
        oldest = outbox.oldest_us
        return {
            "writable": self.writable,
            "spooledBytes": self._spool.spooled_bytes,
            "spooledRecords": outbox.records,
            "oldestSeconds": None if oldest is None else round(self._clock.now() - oldest / 1e6, 1),
            "hubError": outbox.last_error,
        }

    async def close(self, seconds: float) -> None:
        end = asyncio.get_running_loop().time() + seconds
        for _ in range(2):  # what was sent may have made room for the end of what was given up
            self.tick()
            await self._outbox.drain(end - asyncio.get_running_loop().time())
        await self._outbox.close()
        self._spool.close()


def _nothing() -> None:
    pass

"""Writes the records of one console, and ends an epoch that the disk takes no more records of."""

from relay.dependencies import RelayDependencies
from shared.base.record import Record, RecordKind, Source
from shared.base.vm import VmId
from shared.console.ports import Recorder  # noqa: TC001 - the annotation of an attribute


class EpochWriter:
    """The recorder of one console's current epoch; none between epochs."""

    __slots__ = ("_dependencies", "_end_recorded", "_recorder", "_vm")

    def __init__(self, vm: VmId, dependencies: RelayDependencies) -> None:
        self._vm, self._dependencies = vm, dependencies
        self._recorder: Recorder | None = None
        self._end_recorded = True

    def begin(self, epoch: str) -> bool:
        """Begins an epoch. Returns False if the disk refused."""
        try:
            self._recorder = self._dependencies.epochs.begin(Source(self._vm.console, epoch, self._dependencies.name))
        except OSError as error:
            self._failed(error.strerror)
            return False
        self._end_recorded = False
        return True

    def write(self, record: Record) -> bool:
        """Writes a record. Returns True if it survives a kill now, False if it is not written."""
        if self._recorder is None:
            return False
        try:
            self._recorder.append(record)
        except OSError as error:
            self._failed(error.strerror)
            return False
        except ValueError:  # no event could carry it
            self._failed("too large")
            return False
        self._end_recorded = record.kind is RecordKind.END
        return True

    def end(self) -> None:
        """Ends the epoch. If its last record is not an END, the epoch is given up."""
        if self._end_recorded:
            self._recorder = None
        else:
            self.give_up()

    def give_up(self) -> None:
        """Records no more in this epoch. The epoch says so in its last records, as soon as the disk takes them."""
        if self._recorder is not None:
            self._recorder.give_up(int(self._dependencies.clock.now() * 1e6))
        self._recorder = None

    def _failed(self, why: str | None) -> None:
        self._dependencies.log("record-failed", vm=self._vm.console, why=why)

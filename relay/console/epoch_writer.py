"""What one console is recorded on: says whether a record could be kept, and ends what no disk takes any more."""

from relay.dependencies import RelayDependencies
from shared.base.record import Record, RecordKind, Source
from shared.base.vm import VmId
from shared.console.ports import Recorder  # noqa: TC001 - the annotation of an attribute


class EpochWriter:
    """Of one console; blank between its epochs."""

    __slots__ = ("_dependencies", "_recorder", "_said_end", "_vm")

    def __init__(self, vm: VmId, dependencies: RelayDependencies) -> None:
        self._vm, self._dependencies = vm, dependencies
        self._recorder: Recorder | None = None
        self._said_end = True

    def begin(self, epoch: str) -> bool:
        """Whether it could."""
        try:
            self._recorder = self._dependencies.epochs.begin(Source(self._vm.console, epoch, self._dependencies.name))
        except OSError as error:
            self._failed(error.strerror)
            return False
        self._said_end = False
        return True

    def write(self, record: Record) -> bool:
        """Whether it survives a kill now."""
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
        self._said_end = record.kind is RecordKind.END
        return True

    def end(self) -> None:
        """An epoch whose last record does not say that it ends is given up."""
        if self._said_end:
            self._recorder = None
        else:
            self.give_up()

    def give_up(self) -> None:
        """Something is not recorded, and nothing after it: the epoch says so as soon as the disk lets it."""
        if self._recorder is not None:
            self._recorder.give_up(int(self._dependencies.clock.now() * 1e6))
        self._recorder = None

    def _failed(self, why: str | None) -> None:
        self._dependencies.log("record-failed", vm=self._vm.console, why=why)

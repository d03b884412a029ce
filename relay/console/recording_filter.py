"""What of a console's bytes may be recorded: masks what is printed, and follows what is typed, as policies want it.

By rule both do nothing, and bytes pass at no cost.
"""

import asyncio
import re
from collections.abc import Callable, Iterable

from shared.access.mask_pattern import LOOKS_BEHIND
from shared.access.policy import Typing
from shared.access.recording_settings import BY_RULE, RecordingSettings
from shared.base.record_end import RecordedTail
from shared.console.events import Event, LineTyped, Printed, RecordingSettingsChanged
from shared.console.input_recorder import InputRecorder, TypedLine
from shared.console.masking import LONGEST, Masked, Masker, UnmaskedTail

_LINE_END = re.compile(rb"[\r\n]")


class RecordingFilter:
    """One console's. `tell` takes the events that come of it, in order; `recorded` is what was recorded of it last."""

    __slots__ = ("_heard", "_keeping", "_key", "_masker", "_recorded", "_tell", "_timer", "_typist", "names")

    def __init__(self, tell: Callable[[Event], None], mask_key: bytes, recorded: RecordedTail) -> None:
        self._tell, self._key, self._recorded = tell, mask_key, recorded
        self._heard = False
        """Something was printed since there is this ear: the masker knows what a secret may have begun with."""
        self._keeping = BY_RULE
        self._masker: Masker | None = None
        self._typist: InputRecorder | None = None
        self._timer: asyncio.TimerHandle | None = None
        self.names: dict[str, str] = {}
        """Of those who are there, by session."""

    def keep(self, keeping: RecordingSettings) -> None:
        """Another policy. A secret of which some was printed goes on being one."""
        if keeping == self._keeping:
            return
        self.flush()
        if keeping.mask != self._keeping.mask:
            tail = self._masker.tail if self._masker is not None else self._before()
            self._masker = Masker(keeping.mask, self._key, tail) if keeping.mask else None
        self._keeping = keeping
        self._typist = self._new_typist()
        self._tell(RecordingSettingsChanged(keeping.typed, len(keeping.mask)))

    def begin_anywhere(self) -> None:
        """What is printed next may begin inside a secret: where policies mask, so is the rest of its line."""
        if self._masker is not None:
            self.flush()
            self._masker = Masker(self._keeping.mask, self._key, UnmaskedTail(to_line_end=True))

    def begin_unknown(self, *, others: bool) -> None:
        """A gateway replayed nothing: what is printed next follows what this ear has heard, or may begin anywhere.

        `others`: somebody else may have recorded since.
        """
        if self._masker is not None and (others or not self._heard):
            known = self._masker.tail
            self._masker = Masker(self._keeping.mask, self._key, UnmaskedTail(known.text, known.base, to_line_end=True))

    def others_recorded(self) -> None:
        """Somebody else has recorded since: a secret may have begun in what is now known to be recorded last."""
        self._heard = False
        if self._masker is not None:
            self.flush()
            self._masker = Masker(self._keeping.mask, self._key, self._before())

    def _before(self) -> UnmaskedTail:
        """What was recorded before the policy, or the console was opened: a secret may have begun in it.

        Where it holds no whole line it may itself have begun inside one.
        """
        text = bytes(self._recorded)[-LONGEST - LOOKS_BEHIND :]
        return UnmaskedTail(text, to_line_end=_LINE_END.search(text) is None)

    @property
    def masks(self) -> bool:
        return self._masker is not None

    def forget(self) -> None:
        """What is held back is never told. The VM may go on with it when its port is dialled again."""
        self._no_timer()
        if self._masker is not None:
            self._masker.flush()
        self._typist = self._new_typist()

    def printed(self, data: bytes) -> None:
        self._heard = True
        if self._masker is None:
            self._told_of(Printed(data), data)
        else:
            self._pass_on(self._masker.feed(data, _now()))

    def typed(self, session: str, data: bytes) -> None:
        """Before the VM can answer it."""
        if self._typist is not None:
            self._say(self._typist.typed(session, data, _now()))

    def left(self, session: str) -> None:
        if self._typist is not None:
            self._say(self._typist.flush())
        self.names.pop(session, None)

    def tick(self) -> None:
        if self._typist is not None:
            self._say(self._typist.tick(_now()))

    def flush(self) -> None:
        """What is held back is told: nothing more comes of this stream."""
        self._masker_is_due()
        if self._typist is not None:
            self._say(self._typist.flush())

    def _new_typist(self) -> InputRecorder | None:
        way = self._keeping.typed
        return None if way is Typing.COUNTED else InputRecorder(way)

    def _no_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _masker_is_due(self) -> None:
        self._no_timer()
        if self._masker is not None:
            self._pass_on(self._masker.flush())

    def _pass_on(self, masked: Masked) -> None:
        if self._masker is not None and self._timer is None and (due := self._masker.due) is not None:
            self._timer = asyncio.get_running_loop().call_at(due, self._masker_is_due)
        if masked.shown:
            self._told_of(Printed(masked.shown, masked.kept, masked.spans), masked.kept)

    def _told_of(self, printed: Printed, kept: bytes) -> None:
        self._tell(printed)
        if self._typist is not None:
            self._say(self._typist.printed(printed.data, kept))

    def _say(self, lines: Iterable[TypedLine]) -> None:
        for line in lines:
            self._tell(LineTyped(line.session, self.names.get(line.session, ""), line.text))


def _now() -> float:
    return asyncio.get_running_loop().time()

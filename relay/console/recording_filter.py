"""Applies recording policies to a console's bytes: masks printed bytes, and records typed input.

By default both do nothing, and bytes pass at no cost.
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
    """The filter of one console. `report` takes its events in order; `recorded` holds the last recorded bytes."""

    __slots__ = (
        "_has_printed",
        "_input_recorder",
        "_key",
        "_masker",
        "_recorded",
        "_report",
        "_settings",
        "_timer",
        "names",
    )

    def __init__(self, report: Callable[[Event], None], mask_key: bytes, recorded: RecordedTail) -> None:
        self._report, self._key, self._recorded = report, mask_key, recorded
        self._has_printed = False
        """Something was printed since this filter exists. The masker knows the bytes that a secret may begin in."""
        self._settings = BY_RULE
        self._masker: Masker | None = None
        self._input_recorder: InputRecorder | None = None
        self._timer: asyncio.TimerHandle | None = None
        self.names: dict[str, str] = {}
        """The names of attached people, by session."""

    def apply(self, settings: RecordingSettings) -> None:
        """Applies new settings. A secret that has begun stays masked to its end."""
        if settings == self._settings:
            return
        self.flush()
        if settings.mask != self._settings.mask:
            tail = self._masker.tail if self._masker is not None else self._before()
            self._masker = Masker(settings.mask, self._key, tail) if settings.mask else None
        self._settings = settings
        self._input_recorder = self._new_input_recorder()
        self._report(RecordingSettingsChanged(settings.typed, len(settings.mask)))

    def begin_anywhere(self) -> None:
        """Masks the rest of the next line, if policies mask: the next print may begin inside a secret."""
        if self._masker is not None:
            self.flush()
            self._masker = Masker(self._settings.mask, self._key, UnmaskedTail(to_line_end=True))

    def begin_unknown(self, *, others: bool) -> None:
        """Prepares for output after an opening without a replay.

        The next print follows the bytes that this filter has passed; if it passed none, the print may begin anywhere.
        `others`: somebody else may have recorded since.
        """
        if self._masker is not None and (others or not self._has_printed):
            tail = self._masker.tail
            self._masker = Masker(self._settings.mask, self._key, UnmaskedTail(tail.text, tail.base, to_line_end=True))

    def others_recorded(self) -> None:
        """Starts from the bytes that somebody else recorded since: a secret may have begun in them."""
        self._has_printed = False
        if self._masker is not None:
            self.flush()
            self._masker = Masker(self._settings.mask, self._key, self._before())

    def _before(self) -> UnmaskedTail:
        """Returns the bytes recorded before the policy or the opening: a secret may have begun in them.

        If the text holds no whole line it may itself have begun inside one.
        """
        text = bytes(self._recorded)[-LONGEST - LOOKS_BEHIND :]
        return UnmaskedTail(text, to_line_end=_LINE_END.search(text) is None)

    @property
    def masks(self) -> bool:
        return self._masker is not None

    def forget(self) -> None:
        """Drops the bytes that are held back. The VM may go on with them when its port is dialled again."""
        self._no_timer()
        if self._masker is not None:
            self._masker.flush()
        self._input_recorder = self._new_input_recorder()

    def printed(self, data: bytes) -> None:
        self._has_printed = True
        if self._masker is None:
            self._report_printed(Printed(data), data)
        else:
            self._pass_on(self._masker.feed(data, _now()))

    def typed(self, session: str, data: bytes) -> None:
        """Follows typed bytes. Called before the VM can answer them."""
        if self._input_recorder is not None:
            self._report_lines(self._input_recorder.typed(session, data, _now()))

    def left(self, session: str) -> None:
        if self._input_recorder is not None:
            self._report_lines(self._input_recorder.flush())
        self.names.pop(session, None)

    def tick(self) -> None:
        if self._input_recorder is not None:
            self._report_lines(self._input_recorder.tick(_now()))

    def flush(self) -> None:
        """Reports all that is held back, because the stream ends or its settings change."""
        self._flush_masker()
        if self._input_recorder is not None:
            self._report_lines(self._input_recorder.flush())

    def _new_input_recorder(self) -> InputRecorder | None:
        typing = self._settings.typed
        return None if typing is Typing.COUNTED else InputRecorder(typing)

    def _no_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _flush_masker(self) -> None:
        self._no_timer()
        if self._masker is not None:
            self._pass_on(self._masker.flush())

    def _pass_on(self, masked: Masked) -> None:
        if self._masker is not None and self._timer is None and (due := self._masker.due) is not None:
            self._timer = asyncio.get_running_loop().call_at(due, self._flush_masker)
        if masked.shown:
            self._report_printed(Printed(masked.shown, masked.recordable, masked.spans), masked.recordable)

    def _report_printed(self, printed: Printed, recordable: bytes) -> None:
        self._report(printed)
        if self._input_recorder is not None:
            self._report_lines(self._input_recorder.printed(printed.data, recordable))

    def _report_lines(self, lines: Iterable[TypedLine]) -> None:
        for line in lines:
            self._report(LineTyped(line.session, self.names.get(line.session, ""), line.text))


def _now() -> float:
    return asyncio.get_running_loop().time()

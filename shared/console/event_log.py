"""What a console tells: its viewers, in text frames, and the record, in events; acts on the VM are both."""

from typing import Any

from shared.access.commands import Command
from shared.base.record import Record
from shared.base.refusals import Code, refuse
from shared.console.actions import Action, RefuseCommand, SendCommand, SendEvent, Write
from shared.console.events import Commanded, CommandFailed, CommandNoted
from shared.console.frames import said
from shared.console.viewers import Viewer


class EventLog:
    """The part of a Console that every other part speaks through. Not used by itself."""

    __slots__ = ("_epoch", "_now", "_out", "_people", "_seq", "viewers", "writer")

    def __init__(self) -> None:
        self.viewers: dict[str, Viewer] = {}
        self.writer: Viewer | None = None
        self._epoch: str | None = None
        self._seq = 0
        self._people: tuple[str | None, int] = (None, 0)
        """As it was told last."""
        self._now = 0.0
        self._out: list[Action] = []

    def _count(self) -> tuple[str | None, int]:
        """The writer's session and the number of watchers."""
        watchers = sum(not viewer.writes for viewer in self.viewers.values())
        return (self.writer.session if self.writer else None), watchers

    def _writer_said(self) -> dict[str, str] | None:
        return named(self.writer.name if self.writer else None)

    def _say_people(self, but: str | None = None) -> None:
        self._say_all("people", but, writer=self._writer_said(), watchers=self._people[1])

    def _say_all(self, what: str, but: str | None = None, /, **fields: Any) -> None:
        text = said(what, **fields)
        self._out += (SendEvent(session, text) for session in self.viewers if session != but)

    def _commanded(self, event: Commanded, *, reachable: bool) -> None:
        if not reachable:
            self._out.append(RefuseCommand(event.command, refuse(Code.CONSOLE_NOT_OPEN)))
            return
        self._note("command", command=event.act.value, keys=event.keys, by=event.by)
        self._out.append(SendCommand(event.command, event.act, event.keys))
        self._say_act(event.act, event.by)

    def _command_failed(self, event: CommandFailed) -> None:
        act, code = event.act.value, event.refusal.code.value
        self._note("command-failed", command=act, code=code)
        self._say_all("warning", code=code, message=f"The {act} did not reach the VM.")

    def _noted(self, event: CommandNoted) -> None:
        self._note("power", act=event.act.value, by=event.by)
        self._say_act(event.act, event.by)

    def _say_act(self, act: Command, by: str) -> None:
        self._say_all("act", act=act.value, by=named(by))

    def _say(self, viewer: Viewer, what: str, /, **fields: Any) -> None:
        self._out.append(SendEvent(viewer.session, said(what, **fields)))

    def _note(self, what: str, **fields: Any) -> None:
        """Records an event, while there is an epoch to record it in."""
        if self._epoch is not None:
            self._seq += 1
            self._out.append(Write(Record.event(self._seq, int(self._now * 1e6), what, **fields)))


def named(name: str | None) -> dict[str, str] | None:
    return None if name is None else {"name": name}

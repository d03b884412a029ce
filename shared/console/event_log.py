"""Sends events to viewers, in text frames, and writes events into the record. Commands go to both."""

from typing import Any

from shared.access.commands import Command
from shared.base.record import Record
from shared.base.refusals import Code, refuse
from shared.console.actions import Action, RefuseCommand, SendCommand, SendEvent, Write
from shared.console.events import Commanded, CommandFailed, CommandNoted
from shared.console.frames import text_frame
from shared.console.viewers import Viewer


class EventLog:
    """The part of a Console that sends and records events. Not used by itself."""

    __slots__ = ("_actions", "_epoch", "_now", "_participants", "_seq", "viewers", "writer")

    def __init__(self) -> None:
        self.viewers: dict[str, Viewer] = {}
        self.writer: Viewer | None = None
        self._epoch: str | None = None
        self._seq = 0
        self._participants: tuple[str | None, int] = (None, 0)
        """The writer and the number of watchers that viewers were told last."""
        self._now = 0.0
        self._actions: list[Action] = []

    def _count_participants(self) -> tuple[str | None, int]:
        """The writer's session and the number of watchers."""
        watchers = sum(not viewer.writes for viewer in self.viewers.values())
        return (self.writer.session if self.writer else None), watchers

    def _writer_field(self) -> dict[str, str] | None:
        return named(self.writer.name if self.writer else None)

    def _send_participants(self, but: str | None = None) -> None:
        self._send_to_all("people", but, writer=self._writer_field(), watchers=self._participants[1])

    def _send_to_all(self, kind: str, but: str | None = None, /, **fields: Any) -> None:
        text = text_frame(kind, **fields)
        self._actions += (SendEvent(session, text) for session in self.viewers if session != but)

    def _commanded(self, event: Commanded, *, reachable: bool) -> None:
        if not reachable:
            self._actions.append(RefuseCommand(event.command, refuse(Code.CONSOLE_NOT_OPEN)))
            return
        self._record_event("command", command=event.act.value, keys=event.keys, by=event.by)
        self._actions.append(SendCommand(event.command, event.act, event.keys))
        self._send_command_notice(event.act, event.by)

    def _command_failed(self, event: CommandFailed) -> None:
        act, code = event.act.value, event.refusal.code.value
        self._record_event("command-failed", command=act, code=code)
        self._send_to_all("warning", code=code, message=f"The {act} did not reach the VM.")

    def _command_noted(self, event: CommandNoted) -> None:
        self._record_event("power", act=event.act.value, by=event.by)
        self._send_command_notice(event.act, event.by)

    def _send_command_notice(self, act: Command, by: str) -> None:
        self._send_to_all("act", act=act.value, by=named(by))

    def _send_event(self, viewer: Viewer, kind: str, /, **fields: Any) -> None:
        self._actions.append(SendEvent(viewer.session, text_frame(kind, **fields)))

    def _record_event(self, kind: str, **fields: Any) -> None:
        """Records an event, while there is an epoch to record it in."""
        if self._epoch is not None:
            self._seq += 1
            self._actions.append(Write(Record.event(self._seq, int(self._now * 1e6), kind, **fields)))


def named(name: str | None) -> dict[str, str] | None:
    return None if name is None else {"name": name}

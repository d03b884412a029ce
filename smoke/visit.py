"""What the steps share. Whatever happens, `leave` ends the session that was opened."""

from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from smoke.outcome import Failed
from smoke.service import Api, Socket, expect, json_of


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command line wants. `vm` is a resource id."""

    vm: str
    takeover: str
    reason: str
    ca: str | None


@dataclass
class Visit:
    api: Api
    asked: Asked
    config: dict[str, Any] = field(default_factory=dict[str, Any])
    session: dict[str, Any] | None = None
    """As the API answered it, with its token; None once it has ended."""
    token: str = ""
    """The session token that was used."""
    socket: Socket | None = None
    shown: bytes = b""
    """Everything that was shown of the epoch, from `start` on."""
    epoch: str = ""
    start: int = 0

    @property
    def console(self) -> str:
        return f"{self.asked.vm}/serialConsole"

    def open(self) -> dict[str, Any]:
        """A session of ours. Raises Failed with the service's refusal."""
        wish = {"mode": "write", "takeover": self.asked.takeover, "reason": self.asked.reason}
        answer = expect(self.api.ask("POST", f"{self.console}/sessions", json=wish), 201)
        opened: dict[str, Any] = json_of(answer)
        self.session, self.token = opened, str(opened["token"])
        return opened

    def connect(self, resume: str = "") -> Socket:
        """Raises Failed."""
        session = self.session or {}
        self.socket = Socket(str(session["relay"]), self.token, self.api.trust, self.api.timeout, resume)
        return self.socket

    def end(self) -> None:
        """Ends the session by the API. Raises Failed."""
        if self.session:
            expect(self.api.ask("DELETE", f"{self.console}/sessions/{self.session['id']}"), 204)
            self.session = None

    def leave(self) -> None:
        """The console is free afterwards, whatever went wrong before."""
        if self.socket:
            self.socket.leave()
        with suppress(Failed):  # what did not work is said already
            self.end()

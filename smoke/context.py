"""State that the steps share. `leave` ends the opened session in every case."""

from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from smoke.outcome import Failed
from smoke.service import Api, Socket, expect, json_of


@dataclass(frozen=True, slots=True)
class Options:
    """Options of the command line. `vm` is a resource id, `ca` the path of a PEM file."""

    vm: str
    takeover: str
    reason: str
    ca: str | None


@dataclass
class Context:
    api: Api
    options: Options
    config: dict[str, Any] = field(default_factory=dict[str, Any])
    session: dict[str, Any] | None = None
    """The opened session as the API answered it, with its token; None after it has ended."""
    token: str = ""
    """The last used session token."""
    socket: Socket | None = None
    shown: bytes = b""
    """Every byte of the epoch that was shown, beginning at `start`."""
    epoch: str = ""
    start: int = 0

    @property
    def console(self) -> str:
        return f"{self.options.vm}/serialConsole"

    def open(self) -> dict[str, Any]:
        """Opens a session and returns the API's answer. Raises Failed with the service's refusal."""
        body = {"mode": "write", "takeover": self.options.takeover, "reason": self.options.reason}
        answer = expect(self.api.ask("POST", f"{self.console}/sessions", json=body), 201)
        opened: dict[str, Any] = json_of(answer)
        self.session, self.token = opened, str(opened["token"])
        return opened

    def connect(self, resume: str = "") -> Socket:
        """Connects to the console of the open session; `resume` is the query of a resume. Raises Failed."""
        session = self.session or {}
        self.socket = Socket(str(session["relay"]), self.token, self.api.trust, self.api.timeout, resume)
        return self.socket

    def end(self) -> None:
        """Ends the session by the API. Raises Failed."""
        if self.session:
            expect(self.api.ask("DELETE", f"{self.console}/sessions/{self.session['id']}"), 204)
            self.session = None

    def leave(self) -> None:
        """Closes the socket and ends the session. Never raises Failed."""
        if self.socket:
            self.socket.leave()
        with suppress(Failed):  # the step's row has reported it
            self.end()

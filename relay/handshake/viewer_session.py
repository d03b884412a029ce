"""A session that was admitted: it joins a browser's socket and a console."""

from typing import Protocol

from relay.console.runner import ConsoleRunner
from relay.console.viewer import WebSocketViewer
from relay.dependencies import RelayDependencies
from relay.handshake.admission_checks import Handshake
from shared.console.events import TakeoverAnswered, ViewerResumed, ViewerStalled
from shared.console.frames import Answer
from shared.session.ports import Admission


class SessionCallbacks(Protocol):
    """The relay, which counts its sessions."""

    dependencies: RelayDependencies
    viewers: set[WebSocketViewer]
    arriving: "dict[str, ViewerSession]"
    """Sessions whose socket is accepted and that have not joined their console yet."""

    def left(self, viewer: WebSocketViewer) -> None: ...

    def request_of(self, session: str) -> str: ...

    def detached(self, session: str, why: str, typed: int, printed: int) -> None: ...


class ViewerSession:
    """Passes events of one viewer's socket on to its console."""

    __slots__ = ("_admission", "_callbacks", "_handshake", "_runner", "session", "subprotocol", "viewer")

    def __init__(
        self, callbacks: SessionCallbacks, runner: ConsoleRunner, handshake: Handshake, admission: Admission
    ) -> None:
        self._callbacks, self._runner, self._handshake, self._admission = callbacks, runner, handshake, admission
        self.session = handshake.grant.session
        self.viewer = handshake.connect_request.viewer()
        self.subprotocol = handshake.connect_request.subprotocol

    def accepted(self) -> None:
        self._callbacks.viewers.add(self.viewer)
        self._callbacks.arriving[self.session] = self
        self.viewer.left = self._callbacks.left
        self.viewer.arrive(self)

    def abandon(self) -> None:
        """Ends a session whose socket closed before it joined the console."""
        self._runner.forget(self.session)
        self._callbacks.detached(self.session, "ConnectionLost", 0, 0)

    def take(self) -> None:
        grant, dependencies = self._handshake.grant, self._callbacks.dependencies
        del self._callbacks.arriving[self.session]
        dependencies.log(
            "attach", vm=grant.vm.console, session=self.session, mode=grant.mode.value, name=grant.name,
            correlation=self._callbacks.request_of(self.session),
        )  # fmt: skip
        self._runner.attach(grant, self._admission, self.viewer, self._handshake.connect_request.resume)

    def typed(self, data: bytes) -> None:
        self._runner.typed(self.session, data)

    def answered(self, answer: Answer) -> None:
        self._runner.handle(TakeoverAnswered(self.session, answer.ask, answer.allow))

    def stalled(self) -> None:
        self._runner.handle(ViewerStalled(self.session))

    def resumed(self) -> None:
        self._runner.handle(ViewerResumed(self.session))

    def gone(self, why: str) -> None:
        if self._callbacks.arriving.pop(self.session, None) is None:
            self._runner.detach(self.session, why)
        else:
            self._runner.forget(self.session)
            self._callbacks.detached(self.session, why, 0, 0)

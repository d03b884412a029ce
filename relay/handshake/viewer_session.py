"""A visitor who was let in, between the door and the console."""

from typing import Protocol

from relay.console.runner import ConsoleRunner
from relay.console.viewer import WebSocketViewer
from relay.dependencies import RelayDependencies
from relay.handshake.admission_checks import Handshake
from shared.console.events import TakeoverAnswered, ViewerResumed, ViewerStalled
from shared.console.frames import Answer
from shared.session.ports import Admission


class SessionCallbacks(Protocol):
    """Keeps count of those who are in it: the relay."""

    dependencies: RelayDependencies
    viewers: set[WebSocketViewer]
    arriving: "dict[str, ViewerSession]"
    """Accepted, and not at the console yet."""

    def left(self, viewer: WebSocketViewer) -> None: ...

    def request_of(self, session: str) -> str: ...

    def detached(self, session: str, why: str, typed: int, printed: int) -> None: ...


class ViewerSession:
    """A visitor who was let in: joins a browser's socket and a console."""

    __slots__ = ("_admission", "_bridge", "_house", "_visit", "session", "subprotocol", "viewer")

    def __init__(self, house: SessionCallbacks, bridge: ConsoleRunner, visit: Handshake, admission: Admission) -> None:
        self._house, self._bridge, self._visit, self._admission = house, bridge, visit, admission
        self.session = visit.grant.session
        self.viewer = visit.knock.viewer()
        self.subprotocol = visit.knock.subprotocol

    def accepted(self) -> None:
        self._house.viewers.add(self.viewer)
        self._house.arriving[self.session] = self
        self.viewer.left = self._house.left
        self.viewer.arrive(self)

    def abandon(self) -> None:
        """Its socket is gone before it came to the console."""
        self._bridge.forget(self.session)
        self._house.detached(self.session, "ConnectionLost", 0, 0)

    def take(self) -> None:
        grant, dependencies = self._visit.grant, self._house.dependencies
        del self._house.arriving[self.session]
        dependencies.log(
            "attach", vm=grant.vm.console, session=self.session, mode=grant.mode.value, name=grant.name,
            correlation=self._house.request_of(self.session),
        )  # fmt: skip
        self._bridge.attach(grant, self._admission, self.viewer, self._visit.knock.resume)

    def typed(self, data: bytes) -> None:
        self._bridge.typed(self.session, data)

    def answered(self, answer: Answer) -> None:
        self._bridge.handle(TakeoverAnswered(self.session, answer.ask, answer.allow))

    def slow(self) -> None:
        self._bridge.handle(ViewerStalled(self.session))

    def eased(self) -> None:
        self._bridge.handle(ViewerResumed(self.session))

    def gone(self, why: str) -> None:
        if self._house.arriving.pop(self.session, None) is None:
            self._bridge.detach(self.session, why)
        else:
            self._bridge.forget(self.session)
            self._house.detached(self.session, why, 0, 0)

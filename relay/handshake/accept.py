"""Who may come in: every check of a visitor, until a seat at the console is theirs or a refusal."""

from collections.abc import Awaitable
from typing import Protocol

from relay.console.runner import ConsoleRunner
from relay.handshake import admission_checks
from relay.handshake.connect_request import ConnectRequest
from relay.handshake.http_head import Head
from relay.handshake.unproven_sockets import SocketQuota, UnprovenSockets
from relay.handshake.viewer_session import SessionCallbacks, ViewerSession
from shared.base import correlation
from shared.base.ports import Unavailable
from shared.base.refusals import Code, Refusal, refuse
from shared.session.grant import Grant
from shared.session.ports import Admission


class Accepted(SessionCallbacks, Protocol):
    """What is behind the door: the relay."""

    grants: dict[str, Grant]
    """Of every session that the function app takes for live."""
    draining: bool

    def expecting(self, grant: Grant, request: str) -> ConsoleRunner:
        """The console of a visitor who was let in, under the correlation id `request`; it is to be reached now."""
        ...


class Acceptor:
    """Of one relay."""

    def __init__(self, relay: Accepted) -> None:
        self._relay, self._dependencies = relay, relay.dependencies
        self.places = SocketQuota(lambda knock: self._said(self._prove(knock)))
        self.refused: dict[str, int] = {}
        """How often, by code."""

    async def receive(self, head: Head) -> ViewerSession | UnprovenSockets | Refusal:
        """Decides about a visitor by the head of the request."""
        return await self._said(self._receive(head))

    async def _said[T](self, deciding: Awaitable[T | Refusal]) -> T | Refusal:
        """Whoever waits at the door gets an answer, and a refusal is logged and counted."""
        decision: T | Refusal
        try:
            decision = await deciding
        except Exception as error:  # noqa: BLE001 - whoever waits must get an answer; the log has the fault
            self._dependencies.log(
                "fault", where="door", error=type(error).__name__, correlation=correlation.current.get()
            )
            decision = refuse(Code.CONSOLE_FAULT)
        if isinstance(decision, Refusal):
            self.refused[decision.code.value] = self.refused.get(decision.code.value, 0) + 1
            self._dependencies.log(
                "refused", code=decision.code.value, target=decision.target, correlation=correlation.current.get()
            )
        return decision

    async def _receive(self, head: Head) -> ViewerSession | UnprovenSockets | Refusal:
        if self._relay.draining:
            return refuse(Code.RELAY_DRAINING)
        knock = admission_checks.read_request(head, self._dependencies)
        if isinstance(knock, Refusal):
            return knock
        return await self._prove(knock) if knock.token is not None else self.places.take(knock, head.peer)

    async def _prove(self, knock: ConnectRequest) -> ViewerSession | Refusal:
        visit = await admission_checks.examine(knock, self._dependencies)
        if isinstance(visit, Refusal):
            return visit
        if visit.grant.session in self._relay.grants:  # by another token of the same session: it attaches once
            return refuse(Code.TOKEN_REPLAYED)
        if not self._dependencies.epochs.writable:
            return refuse(Code.AUDIT_UNAVAILABLE)
        try:
            admitted = await self._dependencies.control_plane.attach(visit.grant)
        except Unavailable as error:
            self._dependencies.log("control-plane-unavailable", what=error.what, correlation=correlation.current.get())
            return refuse(Code.AZURE_UNAVAILABLE)
        return admitted if isinstance(admitted, Refusal) else await self._reach(visit, admitted)

    async def _reach(self, visit: admission_checks.Handshake, admitted: Admission) -> ViewerSession | Refusal:
        """The console is this visitor's from here on, so the function app must hear when nothing comes of it."""
        relay, grant = self._relay, visit.grant
        bridge = relay.expecting(grant, correlation.current.get())
        bridge.keep(admitted.keeping)
        try:
            refusal = await bridge.expect(grant)
        except BaseException:  # the visitor went away, or something broke
            bridge.forget(grant.session)
            relay.detached(grant.session, "ConnectionLost", 0, 0)
            raise
        if refusal is not None:
            relay.detached(grant.session, refusal.code.value, 0, 0)
            return refusal
        return ViewerSession(relay, bridge, visit, admitted)

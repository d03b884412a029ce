"""Checks a connect request and dials its VM. The result is a session at the console, or a refusal."""

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
    """The relay, as the handshake uses it."""

    grants: dict[str, Grant]
    """The grants of the sessions that the function app takes for live, by session."""
    draining: bool

    def expecting(self, grant: Grant, request: str) -> ConsoleRunner:
        """Registers an admitted session and returns the runner of its console. `request` is the correlation id."""
        ...


class Acceptor:
    """Accepts or refuses connect requests for one relay."""

    def __init__(self, relay: Accepted) -> None:
        self._relay, self._dependencies = relay, relay.dependencies
        self.quota = SocketQuota(lambda connect_request: self._decide(self._prove(connect_request)))
        self.refused: dict[str, int] = {}
        """The number of refusals, by code."""

    async def receive(self, head: Head) -> ViewerSession | UnprovenSockets | Refusal:
        """Accepts or refuses a connection by the head of its request."""
        return await self._decide(self._receive(head))

    async def _decide[T](self, deciding: Awaitable[T | Refusal]) -> T | Refusal:
        """Turns a fault into a refusal, so that every client gets an answer. Logs and counts refusals."""
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
        connect_request = admission_checks.read_request(head, self._dependencies)
        if isinstance(connect_request, Refusal):
            return connect_request
        if connect_request.token is None:
            return self.quota.take(connect_request, head.peer)
        return await self._prove(connect_request)

    async def _prove(self, connect_request: ConnectRequest) -> ViewerSession | Refusal:
        handshake = await admission_checks.examine(connect_request, self._dependencies)
        if isinstance(handshake, Refusal):
            return handshake
        if handshake.grant.session in self._relay.grants:  # by another token of the same session: it attaches once
            return refuse(Code.TOKEN_REPLAYED)
        if not self._dependencies.epochs.writable:
            return refuse(Code.AUDIT_UNAVAILABLE)
        try:
            admitted = await self._dependencies.control_plane.attach(handshake.grant)
        except Unavailable as error:
            self._dependencies.log("control-plane-unavailable", what=error.what, correlation=correlation.current.get())
            return refuse(Code.AZURE_UNAVAILABLE)
        return admitted if isinstance(admitted, Refusal) else await self._reach(handshake, admitted)

    async def _reach(self, handshake: admission_checks.Handshake, admitted: Admission) -> ViewerSession | Refusal:
        """Waits for the VM's port. The function app takes the session for attached, so it hears of every failure."""
        relay, grant = self._relay, handshake.grant
        runner = relay.expecting(grant, correlation.current.get())
        runner.apply(admitted.keeping)
        try:
            refusal = await runner.expect(grant)
        except BaseException:  # the client went away, or there is a fault
            runner.forget(grant.session)
            relay.detached(grant.session, "ConnectionLost", 0, 0)
            raise
        if refusal is not None:
            relay.detached(grant.session, refusal.code.value, 0, 0)
            return refusal
        return ViewerSession(relay, runner, handshake, admitted)

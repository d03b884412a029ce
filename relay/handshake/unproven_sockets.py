"""Sockets that are accepted before their token came: how many there may be, and how each one ends.

Clients of today send their token in a frame (azure_viewer_current.py), so they are accepted by their address alone.
Until the token is verified the socket counts against two limits: MOST in all, MOST_OF_A_PEER for one peer. It has
EXCHANGE_SECONDS for its token, whose size is bounded, and receives nothing of any console.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import replace

from relay.console.viewer import WebSocketViewer
from relay.handshake.azure_viewer_current import CurrentViewer
from relay.handshake.connect_request import ConnectRequest
from relay.handshake.viewer_session import ViewerSession
from shared.base import correlation
from shared.base.refusals import Code, Refusal, refuse
from shared.console.frames import Answer

MOST = 500
"""Unproven sockets of a relay at a time. One may make the relay hold a frame of 64 KiB (MAX_TYPED_FRAME)."""
MOST_OF_A_PEER = 20
"""The same, of one peer address. A company behind one address opens fewer consoles in the time of a verification."""
PROOF_SECONDS = 30.0
"""As long as every check, and the dial of the VM, may take for clients whose token is in the request."""

type Prove = Callable[[ConnectRequest], Awaitable[ViewerSession | Refusal]]


class SocketQuota:
    """Counts the unproven sockets of a relay, in all and by peer."""

    def __init__(self, prove: Prove) -> None:
        self._prove = prove
        self._peers: Counter[str] = Counter()
        self._inside: set[UnprovenSockets] = set()

    @property
    def taken(self) -> int:
        return len(self._inside)

    def take(self, connect_request: ConnectRequest, peer: str) -> "UnprovenSockets | Refusal":
        """Admits a request without a token. Returns TOO_MANY_REQUESTS if a limit is reached."""
        if self.taken >= MOST or self._peers[peer] >= MOST_OF_A_PEER:
            return refuse(Code.TOO_MANY_REQUESTS)
        unproven = UnprovenSockets(connect_request, self._prove, lambda: self._give_back(unproven, peer))
        self._peers[peer] += 1
        self._inside.add(unproven)
        return unproven

    def clear(self, refusal: Refusal) -> None:
        """Refuses every unproven socket."""
        for unproven in tuple(self._inside):
            unproven.refuse(refusal)

    def _give_back(self, unproven: "UnprovenSockets", peer: str) -> None:
        if unproven in self._inside:
            self._inside.discard(unproven)
            self._peers[peer] -= 1
            if not self._peers[peer]:
                del self._peers[peer]


class UnprovenSockets:
    """An AdmittedViewer, and the ViewerCallbacks of a viewer that has not joined a console yet."""

    __slots__ = ("_connect_request", "_done", "_prove", "_proving", "_request", "subprotocol", "viewer")

    def __init__(self, connect_request: ConnectRequest, prove: Prove, done: Callable[[], None]) -> None:
        self._connect_request, self._prove, self._done = connect_request, prove, done
        self._request = correlation.current.get()
        self._proving: asyncio.Task[None] | None = None
        self.subprotocol = None
        self.viewer = CurrentViewer()
        self.viewer.prove = self._begin

    def accepted(self) -> None:
        self.viewer.left = self._left
        self.viewer.arrive(self)

    def refuse(self, refusal: Refusal) -> None:
        self.viewer.expel(refusal.close_code, refusal.code.value)

    # --- as its viewer sees it --------------------------------------------------------------------------------

    def gone(self, why: str) -> None:  # noqa: ARG002 - ViewerCallbacks
        """Cancels the verification of a socket that left or was refused."""
        self._done()
        if self._proving is not None and self._proving is not asyncio.current_task():
            self._proving.cancel()

    def take(self) -> None: ...

    def typed(self, data: bytes) -> None: ...

    def answered(self, answer: Answer) -> None: ...

    def stalled(self) -> None: ...

    def resumed(self) -> None: ...

    def _left(self, _viewer: WebSocketViewer) -> None:
        self._done()

    # --- the proof --------------------------------------------------------------------------------------------

    def _begin(self, token: str) -> None:
        self._proving = asyncio.get_running_loop().create_task(self._work(token))

    async def _work(self, token: str) -> None:
        correlation.current.set(self._request)
        connect_request = replace(self._connect_request, token=token, viewer=lambda: self.viewer)
        try:
            async with asyncio.timeout(PROOF_SECONDS):
                decision = await self._prove(connect_request)
        except TimeoutError:
            decision = refuse(Code.GATEWAY_TIMEOUT)
        if isinstance(decision, Refusal):
            self.refuse(decision)
        elif self.viewer.callbacks is not self:  # it left while the console was made ready
            decision.abandon()
        else:
            self._done()
            decision.accepted()

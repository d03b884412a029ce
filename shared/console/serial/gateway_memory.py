"""Remembers which flow each gateway took, and which VM's port was just closed without a reason."""

import asyncio
from collections import OrderedDict

from shared.console.gateway_exchange import Flow

REMEMBERED = 256
"""Gateways, and VMs; a region has one gateway host."""
ADDRESS_SECONDS = 3600.0
"""How long a gateway that wanted the token in its address is asked like that at once. Then the current flow is tried
again: it needs no token in an address.
"""
AGAIN_SECONDS = 60.0


class FlowMemory:
    """Remembers the flow that worked, for each gateway host."""

    def __init__(self) -> None:
        self._by_address: OrderedDict[str, float] = OrderedDict()
        """Since when, of hosts where the current flow did not."""

    def to_try(self, host: str) -> list[Flow]:
        """Each once. What worked before comes first; the other after it: a gateway may be a newer one by now."""
        return [Flow.ADDRESS, Flow.CURRENT] if self._wants_address(host) else [Flow.CURRENT, Flow.ADDRESS]

    def worked(self, host: str, flow: Flow) -> None:
        if flow is Flow.CURRENT:
            self.failed(host)
        elif not self._wants_address(host):
            _remember(self._by_address, host, _now())

    def _wants_address(self, host: str) -> bool:
        since = self._by_address.get(host)
        return since is not None and _now() - since < ADDRESS_SECONDS

    def failed(self, host: str) -> None:
        self._by_address.pop(host, None)


class CloseMemory:
    """Remembers when a gateway closed a VM's port by itself, without a reason.

    Somebody else's connection is one cause, an idle time of the gateway's another, and nothing tells them apart
    (microsoft/azserialconsole issue 46). So the port is dialled again once. Who is sent away again within a minute is
    in somebody's way, and yields.
    """

    def __init__(self) -> None:
        self._last: OrderedDict[str, float] = OrderedDict()

    def again(self, console: str) -> bool:
        """Notes a close. Returns True if there was one within AGAIN_SECONDS before."""
        before = self._last.pop(console, None)
        _remember(self._last, console, _now())
        return before is not None and _now() - before < AGAIN_SECONDS


def _now() -> float:
    return asyncio.get_running_loop().time()


def _remember[V](memory: OrderedDict[str, V], key: str, value: V) -> None:
    memory[key] = value
    if len(memory) > REMEMBERED:
        memory.popitem(last=False)

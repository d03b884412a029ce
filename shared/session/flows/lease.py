"""Decides if the holder of a console is still alive."""

from shared.session.dependencies import Dependencies
from shared.session.lock import Holder, Lock


async def live_holder(dependencies: Dependencies, lock: Lock) -> Holder | None:
    """Returns the holder if they are alive. Reads the lease of their relay only if it decides. Raises Unavailable."""
    now = dependencies.clock.now()
    relay = lock.relay_to_ask(now)
    return lock.live_holder(None if relay is None else await dependencies.leases.of(relay), now)

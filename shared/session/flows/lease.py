"""Whether who holds a console is still there."""

from shared.session.dependencies import Dependencies
from shared.session.lock import Holder, Lock


async def live_holder(dependencies: Dependencies, lock: Lock) -> Holder | None:
    """Asks for the holder's relay only where it counts. Raises Unavailable."""
    now = dependencies.clock.now()
    relay = lock.relay_to_ask(now)
    return lock.live_holder(None if relay is None else await dependencies.leases.of(relay), now)

"""Whether who holds a console is still there."""

from shared.domain.lock import Holder, Lock
from shared.session.dependencies import Dependencies


async def live_holder(dependencies: Dependencies, lock: Lock) -> Holder | None:
    """Asks for the holder's relay only where it counts. Raises Unavailable."""
    now = dependencies.clock.now()
    relay = lock.relay_to_ask(now)
    return lock.live_holder(None if relay is None else await dependencies.leases.of(relay), now)

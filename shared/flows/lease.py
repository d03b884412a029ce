"""Whether who holds a console is still there."""

from shared.domain.lock import Holder, Lock
from shared.flows.world import World


async def live_holder(world: World, lock: Lock) -> Holder | None:
    """Asks for the holder's relay only where it counts. Raises Unavailable."""
    now = world.clock.now()
    relay = lock.relay_to_ask(now)
    return lock.live_holder(None if relay is None else await world.leases.of(relay), now)

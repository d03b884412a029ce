"""Whether who holds a console is still there."""

from shared.domain.lock import Holder, Lock
from shared.flows.world import World


async def live_holder(world: World, lock: Lock) -> Holder | None:
    """Asks for the holder's relay only where it counts. Raises Unavailable."""
    now = world.clock.now()
    if lock.holder is None or now < lock.pending_until:
        return lock.holder
    return lock.live_holder(await world.leases.of(lock.holder.relay), now)

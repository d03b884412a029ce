"""Every check of one VM, and who writes on its console."""

import asyncio
from dataclasses import dataclass

from shared.domain.caller import Caller
from shared.domain.lock import Holder
from shared.domain.refusals import Refusal
from shared.domain.vm import VmId
from shared.flows.examine_vm import Examined, examine_vm
from shared.flows.world import World


@dataclass(frozen=True, slots=True)
class Shown:
    examined: Examined
    generation: int
    writer: Holder | None
    """None when nobody writes, and when the caller may not open the console: who works there is not theirs to know."""


async def show_console(world: World, caller: Caller, vm: VmId) -> Shown | Refusal:
    """Raises Unavailable."""
    examined, lock = await asyncio.gather(examine_vm(world, caller, vm), world.consoles.show(vm))
    if isinstance(examined, Refusal):
        return examined
    permitted = examined.checks[0].refusal is None
    return Shown(examined, lock.generation, lock.live_holder(world.clock.now()) if permitted else None)

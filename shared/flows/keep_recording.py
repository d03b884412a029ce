"""What relays must know beside their sessions: what the record keeps of each console, and which are always recorded."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from shared.domain.checks import switch_refusal
from shared.domain.keeping import BY_RULE, Keeping, keeping
from shared.domain.policy import Level
from shared.domain.vm import VmId
from shared.flows.examine_vm import service
from shared.flows.world import World


@dataclass(frozen=True, slots=True)
class Recorded:
    keep: Mapping[VmId, Keeping]
    """Where it is not what it is by rule."""
    capture: Sequence[VmId]
    """To be recorded whether anybody is there or not, by this relay."""


async def recorded(world: World, relay: str, attended: Sequence[VmId]) -> Recorded:
    """For the consoles of one relay; `attended` are those at which somebody is. Raises Unavailable: no part of the
    answer may then be taken for all of it.
    """
    wanted = [vm for vm in await world.policies.captured() if world.relays.of(vm).name == relay]
    levels = {vm: await world.policies.over(vm) for vm in dict.fromkeys([*attended, *wanted])}
    keep = {vm: kept for vm, over in levels.items() if (kept := keeping(over)) != BY_RULE}
    return Recorded(keep, [vm for vm in wanted if _is_open(world, vm, levels[vm])])


def _is_open(world: World, vm: VmId, levels: Sequence[Level]) -> bool:
    return switch_refusal(vm, levels, service(world)) is None

"""Every check of one VM, and who writes on its console."""

import asyncio
from dataclasses import dataclass

from shared.domain import rights
from shared.domain.caller import Caller
from shared.domain.lock import Holder
from shared.domain.refusals import Refusal
from shared.domain.rights import Right
from shared.domain.vm import VmId
from shared.flows.examine_vm import PREFLIGHT, Examined, Wanted, examine_vm
from shared.flows.lease import live_holder
from shared.session.dependencies import Dependencies


@dataclass(frozen=True, slots=True)
class Shown:
    right: Right
    examined: Examined
    generation: int
    writer: Holder | None
    """None when nobody writes, and when the caller may not watch the console: who works there is not theirs to know."""

    held: tuple[Right, ...]
    """What the caller's rights on the VM suffice for, as far as the VM itself decides it."""


async def show_console(dependencies: Dependencies, caller: Caller, vm: VmId, right: Right) -> Shown | Refusal:
    """Raises Unavailable."""
    examined, lock, lacking = await asyncio.gather(
        examine_vm(dependencies, caller, vm, Wanted(right, PREFLIGHT)),
        dependencies.consoles.show(vm),
        _lacking(dependencies, caller, vm),
    )
    if isinstance(examined, Refusal):
        return examined
    held = tuple(each for each in Right if lacking.isdisjoint(rights.on_vm(dependencies.settings.rights, each, vm)))
    writer = await live_holder(dependencies, lock) if Right.WATCH in held else None
    return Shown(right, examined, lock.generation, writer, held)


async def _lacking(dependencies: Dependencies, caller: Caller, vm: VmId) -> frozenset[str]:
    """Of all actions that any right demands: all, where that is not told."""
    actions = {action for right in Right for action in rights.on_vm(dependencies.settings.rights, right, vm)}
    missing = await dependencies.rights.missing(caller, vm.resource_id, sorted(actions))
    return frozenset(actions if isinstance(missing, Refusal) else missing)

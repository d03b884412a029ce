"""Shows every check of one VM, and the writer of its console."""

import asyncio
from dataclasses import dataclass

from shared.access import rights
from shared.access.flows.examine_vm import PREFLIGHT, Examined, RequiredRight, examine_vm
from shared.access.flows.tell_unavailable import tell_unavailable
from shared.access.rights import Right
from shared.base.caller import Caller
from shared.base.ports import Unavailable
from shared.base.refusals import Code, Refusal, refuse
from shared.base.vm import VmId
from shared.session.dependencies import Dependencies
from shared.session.flows.lease import live_holder
from shared.session.lock import Holder

LOCK_SECONDS = 3.0
"""How long the answer waits for the lock."""


@dataclass(frozen=True, slots=True)
class AtConsole:
    generation: int
    writer: Holder | None


@dataclass(frozen=True, slots=True)
class ShownConsole:
    right: Right
    examined: Examined
    console: AtConsole | Refusal
    """The writer is None if nobody writes, and if the caller may not watch the console. A refusal if the lock does not
    answer.
    """

    held: tuple[Right, ...]
    """The rights that the caller has on the VM, without those on its storage account."""


async def show_console(dependencies: Dependencies, caller: Caller, vm: VmId, right: Right) -> ShownConsole | Refusal:
    """Returns the checks, the writer and the caller's rights. If only the lock fails, the rest is still returned.

    Raises Unavailable.
    """
    examined, at_console, lacking = await asyncio.gather(
        examine_vm(dependencies, caller, vm, RequiredRight(right, PREFLIGHT)),
        _at_console(dependencies, vm),
        _lacking(dependencies, caller, vm),
    )
    if isinstance(examined, Refusal):
        return examined
    held = tuple(each for each in Right if lacking.isdisjoint(rights.on_vm(dependencies.settings.rights, each, vm)))
    if isinstance(at_console, AtConsole) and Right.WATCH not in held:
        at_console = AtConsole(at_console.generation, None)
    return ShownConsole(right, examined, at_console, held)


async def _at_console(dependencies: Dependencies, vm: VmId) -> AtConsole | Refusal:
    try:
        async with asyncio.timeout(LOCK_SECONDS):
            lock = await dependencies.consoles.show(vm)
            return AtConsole(lock.generation, await live_holder(dependencies, lock))
    except TimeoutError:
        return refuse(Code.LOCK_UNAVAILABLE, target=vm.resource_id)
    except Unavailable as error:
        return tell_unavailable(error, vm.resource_id)


async def _lacking(dependencies: Dependencies, caller: Caller, vm: VmId) -> frozenset[str]:
    """Returns the actions that the caller lacks, of those that any right demands; all if that is not known."""
    actions = {action for right in Right for action in rights.on_vm(dependencies.settings.rights, right, vm)}
    missing = await dependencies.rights.missing(caller, vm.resource_id, sorted(actions))
    return frozenset(actions if isinstance(missing, Refusal) else missing)

"""Legal hold: while it is placed, retention drops nothing of a console's transcript."""

from shared.domain.caller import Caller
from shared.domain.ledger import Held, Released
from shared.domain.policy import Scope
from shared.domain.refusals import Refusal
from shared.domain.vm import VmId
from shared.flows.archive import Archive
from shared.flows.keep_pace import pace_caller
from shared.flows.keep_policy import administers
from shared.ports import Hold
from shared.session.dependencies import Dependencies


async def place_hold(
    dependencies: Dependencies, archive: Archive, caller: Caller, vm: VmId, why: str
) -> Hold | Refusal:
    """It holds before it is signed: a crash in between keeps too much, never too little. Raises Unavailable."""
    if refusal := await pace_caller(dependencies, caller) or await administers(dependencies, caller, Scope.of_vm(vm)):
        return refusal
    hold = Hold(caller.name, archive.clock.now(), why)
    await archive.holds.place(vm.console, hold)
    await archive.ledger.add(Held(vm.console, int(hold.since), caller.subject, why))
    return hold


async def lift_hold(dependencies: Dependencies, archive: Archive, caller: Caller, vm: VmId) -> Refusal | None:
    """Signed first, for the same reason. Raises Unavailable."""
    if refusal := await pace_caller(dependencies, caller) or await administers(dependencies, caller, Scope.of_vm(vm)):
        return refusal
    if await archive.holds.find(vm.console):
        await archive.ledger.add(Released(vm.console, int(archive.clock.now()), caller.subject))
        await archive.holds.lift(vm.console)
    return None

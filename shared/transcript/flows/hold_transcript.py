"""Legal hold: while it is placed, retention drops nothing of a console's transcript."""

from shared.access.flows.check_rate_limit import check_caller_rate
from shared.access.policy import Scope
from shared.base.caller import Caller
from shared.base.refusals import Refusal
from shared.base.vm import VmId
from shared.session.dependencies import Dependencies
from shared.session.flows.change_policy import administers
from shared.transcript.flows.archive import Archive
from shared.transcript.ports import Hold
from shared.transcript.signed_statements import HoldPlaced, HoldReleased


async def place_hold(
    dependencies: Dependencies, archive: Archive, caller: Caller, vm: VmId, why: str
) -> Hold | Refusal:
    """It holds before it is signed: a crash in between keeps too much, never too little. Raises Unavailable."""
    if refusal := await check_caller_rate(dependencies, caller) or await administers(
        dependencies, caller, Scope.of_vm(vm)
    ):
        return refusal
    hold = Hold(caller.name, archive.clock.now(), why)
    await archive.holds.place(vm.console, hold)
    await archive.ledger.add(HoldPlaced(vm.console, int(hold.since), caller.subject, why))
    return hold


async def lift_hold(dependencies: Dependencies, archive: Archive, caller: Caller, vm: VmId) -> Refusal | None:
    """Signed first, for the same reason. Raises Unavailable."""
    if refusal := await check_caller_rate(dependencies, caller) or await administers(
        dependencies, caller, Scope.of_vm(vm)
    ):
        return refusal
    if await archive.holds.find(vm.console):
        await archive.ledger.add(HoldReleased(vm.console, int(archive.clock.now()), caller.subject))
        await archive.holds.lift(vm.console)
    return None

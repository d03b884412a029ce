"""A legal hold: by whoever administers the VM, signed."""

from shared.base.refusals import Code, Refusal
from shared.transcript.flows.hold_transcript import lift_hold, place_hold
from shared.transcript.ports import Hold
from shared.transcript.signed_statements import HoldPlaced, HoldReleased
from tests.contract.memory_archive import MemoryArchive
from tests.fakes import NOW, VM, FakeDependencies, person


async def test_a_hold_is_placed_signed_and_lifted(fakes: FakeDependencies) -> None:
    kept, ada = MemoryArchive(), person()
    placed = await place_hold(fakes.dependencies, kept.archive, ada, VM, "case 12")
    assert placed == Hold("Ada", NOW, "case 12") == await kept.holds.find(VM.console)
    assert await lift_hold(fakes.dependencies, kept.archive, ada, VM) is None
    assert await kept.holds.find(VM.console) is None
    assert await lift_hold(fakes.dependencies, kept.archive, ada, VM) is None
    assert kept.ledger.said == [
        HoldPlaced(VM.console, int(NOW), ada.subject, "case 12"), HoldReleased(VM.console, int(NOW), ada.subject)
    ]  # fmt: skip


async def test_who_does_not_administer_the_vm_neither_places_nor_lifts(fakes: FakeDependencies) -> None:
    kept = MemoryArchive()
    fakes.rights.lacking["ada"] = ["Microsoft.SerialConsole/serialPorts/write"]
    for outcome in (
        await place_hold(fakes.dependencies, kept.archive, person(), VM, "case 12"),
        await lift_hold(fakes.dependencies, kept.archive, person(), VM),
    ):
        assert isinstance(outcome, Refusal)
        assert outcome.code is Code.ADMINISTRATION_DENIED
    assert (kept.holds.placed, kept.ledger.said) == ({}, [])

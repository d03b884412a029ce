from dataclasses import replace

from shared.domain.caller import Kind
from shared.domain.refusals import Code, Refusal, refuse
from shared.domain.rights import DEFAULT, VM_READ, Right, on_vm
from shared.domain.vm import Power
from shared.flows.list_consoles import list_consoles
from shared.flows.open_session import Wish, open_session
from shared.flows.show_console import Shown, show_console
from shared.ports import Unavailable
from tests.fakes import VM, FakeWorld, everything, machine, person, without_read

ADMINISTERED = {*everything(), *on_vm(DEFAULT, Right.ADMINISTER, VM)} - {VM_READ}
"""What somebody lacks who may read the VM and nothing else."""


async def test_the_preflight_says_who_writes(fakes: FakeWorld) -> None:
    await open_session(fakes.world, person(), VM, Wish())
    shown = await show_console(fakes.world, person("grace"), VM, Right.WRITE)
    assert not isinstance(shown, Refusal)
    assert shown.writer is not None
    assert (shown.generation, shown.writer.name, shown.examined.refusals) == (1, "Ada", [])


async def test_who_may_not_open_the_console_does_not_learn_who_writes(fakes: FakeWorld) -> None:
    await open_session(fakes.world, person(), VM, Wish())
    fakes.rights.lacking["alan"] = without_read()
    shown = await show_console(fakes.world, person("alan"), VM, Right.WRITE)
    assert not isinstance(shown, Refusal)
    assert shown.writer is None


async def test_a_vm_that_is_not_there_has_no_preflight(fakes: FakeWorld) -> None:
    fakes.vms.vms.clear()
    shown = await show_console(fakes.world, person(), VM, Right.WRITE)
    assert isinstance(shown, Refusal)


async def test_the_preflight_says_what_the_callers_rights_suffice_for(fakes: FakeWorld) -> None:
    fakes.rights.lacking["alan"] = ADMINISTERED
    fakes.rights.lacking["grace"] = ADMINISTERED - {*on_vm(DEFAULT, Right.WATCH, VM)}
    held = []
    for oid in ("ada", "grace", "alan"):
        shown = await show_console(fakes.world, person(oid), VM, Right.WATCH)
        assert isinstance(shown, Shown)
        held.append(shown.held)
    assert held == [tuple(Right), (Right.WATCH, Right.READ), ()]


async def test_a_stronger_sign_in_may_be_asked_for_before_the_preflight(fakes: FakeWorld) -> None:
    fakes.rights.lacking["ada"] = refuse(Code.MFA_REQUIRED, claims="{}")
    shown = await show_console(fakes.world, person(), VM, Right.WRITE)
    assert isinstance(shown, Refusal)
    assert shown.code is Code.MFA_REQUIRED


async def test_every_vm_is_listed_with_what_stands_in_its_way(fakes: FakeWorld) -> None:
    second = replace(VM, name="web-02")
    fakes.vms.vms[second.console] = machine(second, power=Power.STOPPED)
    listed = await list_consoles(fakes.world, person())
    assert not isinstance(listed, Refusal)
    assert [[each.code for each in one.refusals] for one in listed] == [[], [Code.VM_NOT_RUNNING]]


async def test_a_vm_whose_rights_cannot_be_had_is_listed_as_not_available(fakes: FakeWorld) -> None:
    fakes.rights.fail = Unavailable("arm", "away")
    listed = await list_consoles(fakes.world, person())
    assert not isinstance(listed, Refusal)
    assert listed[0].refusals[0].code is Code.AZURE_UNAVAILABLE
    fakes.rights.fail = None
    fakes.rights.lacking["ada"] = refuse(Code.MFA_REQUIRED)
    listed = await list_consoles(fakes.world, person())
    assert not isinstance(listed, Refusal)
    assert listed[0].refusals[0].code is Code.MFA_REQUIRED


async def test_an_application_whose_rights_cannot_be_had_is_shown_nothing(fakes: FakeWorld) -> None:
    """The list is what the service sees."""
    fakes.rights.fail = Unavailable("arm", "429")
    assert await list_consoles(fakes.world, replace(person(), kind=Kind.APPLICATION)) == []


async def test_a_vm_that_only_the_service_may_read_is_not_listed(fakes: FakeWorld) -> None:
    fakes.rights.lacking["ada"] = everything()
    assert await list_consoles(fakes.world, person()) == []


async def test_the_list_may_be_refused(fakes: FakeWorld) -> None:
    fakes.vms.refusal = refuse(Code.MFA_REQUIRED)
    assert isinstance(await list_consoles(fakes.world, person()), Refusal)

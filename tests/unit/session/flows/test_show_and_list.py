import asyncio
from dataclasses import replace
from typing import Any

import pytest

from shared.access.flows.list_vms import VmPage, list_consoles
from shared.access.rights import DEFAULT, VM_READ, Right, on_vm
from shared.base.caller import CallerKind
from shared.base.ports import Dependency, Trouble, Unavailable
from shared.base.refusals import Code, Refusal, refuse
from shared.base.vm import Power
from shared.session.flows import show_console as show_console_flow
from shared.session.flows.open_session import OpenSessionRequest, open_session
from shared.session.flows.show_console import AtConsole, ShownConsole, show_console
from shared.session.lock import Lock
from tests.fakes import VM, FakeDependencies, everything, machine, person, without_read

ADMINISTERED = {*everything(), *on_vm(DEFAULT, Right.ADMINISTER, VM)} - {VM_READ}
"""What somebody lacks who may read the VM and nothing else."""


async def test_the_preflight_says_who_writes(fakes: FakeDependencies) -> None:
    await open_session(fakes.dependencies, person(), VM, OpenSessionRequest())
    shown = await show_console(fakes.dependencies, person("grace"), VM, Right.WRITE)
    assert not isinstance(shown, Refusal)
    assert isinstance(shown.console, AtConsole)
    assert shown.console.writer is not None
    assert (shown.console.generation, shown.console.writer.name, shown.examined.refusals) == (1, "Ada", [])


async def test_who_may_not_open_the_console_does_not_learn_who_writes(fakes: FakeDependencies) -> None:
    await open_session(fakes.dependencies, person(), VM, OpenSessionRequest())
    fakes.rights.lacking["alan"] = without_read()
    shown = await show_console(fakes.dependencies, person("alan"), VM, Right.WRITE)
    assert not isinstance(shown, Refusal)
    assert shown.console == AtConsole(1, None)


@pytest.mark.parametrize("trouble", [Trouble.AWAY, Trouble.SILENT])
async def test_a_lock_that_is_away_hides_nothing_else(fakes: FakeDependencies, trouble: Trouble) -> None:
    fakes.consoles.fail = Unavailable(Dependency.CONSOLE_LOCK, "moves", trouble)
    fakes.vms.vms[VM.console] = machine(power=Power.DEALLOCATED)
    shown = await show_console(fakes.dependencies, person(), VM, Right.WRITE)
    assert isinstance(shown, ShownConsole)
    assert isinstance(shown.console, Refusal)
    assert (shown.console.code, shown.console.target) == (Code.LOCK_UNAVAILABLE, VM.resource_id)
    assert [each.code for each in shown.examined.refusals] == [Code.VM_NOT_RUNNING]
    assert shown.held == tuple(Right)


async def test_a_lock_that_hangs_is_not_waited_for(fakes: FakeDependencies, monkeypatch: pytest.MonkeyPatch) -> None:
    async def hangs(_: object) -> Lock:
        await asyncio.Event().wait()
        return Lock()

    monkeypatch.setattr(show_console_flow, "LOCK_SECONDS", 0.05)
    monkeypatch.setattr(fakes.consoles, "show", hangs)
    shown = await show_console(fakes.dependencies, person(), VM, Right.WRITE)
    assert isinstance(shown, ShownConsole)
    assert isinstance(shown.console, Refusal)
    assert shown.console.code is Code.LOCK_UNAVAILABLE


async def test_a_vm_that_is_not_there_has_no_preflight(fakes: FakeDependencies) -> None:
    fakes.vms.vms.clear()
    shown = await show_console(fakes.dependencies, person(), VM, Right.WRITE)
    assert isinstance(shown, Refusal)


async def test_the_preflight_says_what_the_callers_rights_suffice_for(fakes: FakeDependencies) -> None:
    fakes.rights.lacking["alan"] = ADMINISTERED
    fakes.rights.lacking["grace"] = ADMINISTERED - {*on_vm(DEFAULT, Right.WATCH, VM)}
    held = []
    for oid in ("ada", "grace", "alan"):
        shown = await show_console(fakes.dependencies, person(oid), VM, Right.WATCH)
        assert isinstance(shown, ShownConsole)
        held.append(shown.held)
    assert held == [tuple(Right), (Right.WATCH, Right.READ), ()]


async def test_a_stronger_sign_in_may_be_asked_for_before_the_preflight(fakes: FakeDependencies) -> None:
    fakes.rights.lacking["ada"] = refuse(Code.MFA_REQUIRED, claims="{}")
    shown = await show_console(fakes.dependencies, person(), VM, Right.WRITE)
    assert isinstance(shown, Refusal)
    assert shown.code is Code.MFA_REQUIRED


async def listed(fakes: FakeDependencies, **who: Any) -> VmPage:
    found = await list_consoles(fakes.dependencies, replace(person(), **who))
    assert isinstance(found, VmPage)
    return found


async def test_every_vm_is_listed_with_what_stands_in_its_way(fakes: FakeDependencies) -> None:
    second = replace(VM, name="web-02")
    fakes.vms.vms[second.console] = machine(second, power=Power.STOPPED)
    found = await listed(fakes)
    assert [[each.code for each in one.refusals] for one in found.listed] == [[], [Code.VM_NOT_RUNNING]]
    assert found.unasked == {}


async def test_a_vm_whose_rights_cannot_be_had_is_listed_as_not_available(fakes: FakeDependencies) -> None:
    fakes.rights.fail = Unavailable(Dependency.ARM, "away", Trouble.THROTTLED, retry_after=17)
    (refusal,) = (await listed(fakes)).listed[0].refusals
    assert (refusal.code, refusal.retry_after, refusal.target) == (Code.AZURE_THROTTLED, 17, VM.resource_id)
    fakes.rights.fail = None
    fakes.rights.lacking["ada"] = refuse(Code.MFA_REQUIRED)
    assert (await listed(fakes)).listed[0].refusals[0].code is Code.MFA_REQUIRED


async def test_a_subscription_that_cannot_be_asked_is_named_beside_the_others(fakes: FakeDependencies) -> None:
    fakes.vms.unasked["other"] = Unavailable(Dependency.ARM, "away")
    found = await listed(fakes)
    assert [each.vm.id for each in found.listed] == [VM]
    assert {name: (why.code, why.target) for name, why in found.unasked.items()} == {
        "other": (Code.AZURE_UNAVAILABLE, "/subscriptions/other")
    }


async def test_an_empty_list_is_answered_only_where_everything_was_asked(fakes: FakeDependencies) -> None:
    fakes.vms.vms.clear()
    assert await listed(fakes) == VmPage([], {})
    fakes.vms.unasked["other"] = Unavailable(Dependency.ARM, "away")
    with pytest.raises(Unavailable):
        await list_consoles(fakes.dependencies, person())


async def test_an_application_is_told_where_its_rights_cannot_be_had_and_no_vm_of_it(fakes: FakeDependencies) -> None:
    """The list is what the service sees."""
    fakes.rights.fail = Unavailable(Dependency.ARM, "429", Trouble.THROTTLED)
    with pytest.raises(Unavailable):
        await list_consoles(fakes.dependencies, replace(person(), kind=CallerKind.APPLICATION))


async def test_what_an_application_may_see_is_listed_beside_what_could_not_be_asked(fakes: FakeDependencies) -> None:
    elsewhere = replace(VM, subscription="5b5c0000-0000-4000-8000-000000000002")
    fakes.vms.vms[elsewhere.console] = machine(elsewhere)
    fakes.rights.failing[elsewhere.resource_id] = Unavailable(Dependency.ARM, "429", Trouble.THROTTLED)
    found = await listed(fakes, kind=CallerKind.APPLICATION)
    assert [each.vm.id for each in found.listed] == [VM]
    assert [*found.unasked] == [elsewhere.subscription]


async def test_a_vm_that_only_the_service_may_read_is_not_listed(fakes: FakeDependencies) -> None:
    fakes.rights.lacking["ada"] = everything()
    assert await listed(fakes) == VmPage([], {})


async def test_the_list_may_be_refused(fakes: FakeDependencies) -> None:
    fakes.vms.refusal = refuse(Code.MFA_REQUIRED)
    assert isinstance(await list_consoles(fakes.dependencies, person()), Refusal)


async def test_an_answer_looks_at_a_bounded_number_of_vms_and_says_where_the_rest_begins(
    fakes: FakeDependencies,
) -> None:
    for number in range(4):
        each = replace(VM, name=f"more-{number}")
        fakes.vms.vms[each.console] = machine(each)
    every = sorted(fakes.vms.vms)
    after, seen = "", []
    for expected in (2, 2, 1):
        page = await list_consoles(fakes.dependencies, person(), after, most=2)
        assert isinstance(page, VmPage)
        assert len(page.listed) == expected
        seen += [each.vm.id.console for each in page.listed]
        after = page.next or ""
    assert (seen, after) == (every, "")


async def test_a_page_without_a_vm_that_one_may_see_is_not_the_end(fakes: FakeDependencies) -> None:
    fakes.vms.vms[replace(VM, name="zz").console] = machine(replace(VM, name="zz"))
    fakes.vms.unasked["other"] = Unavailable(Dependency.ARM, "away")
    fakes.rights.lacking["ada"] = everything()
    page = await list_consoles(fakes.dependencies, person(), most=1)
    assert isinstance(page, VmPage)
    assert (page.listed, page.next) == ([], VM.console)
    last = await list_consoles(fakes.dependencies, person(), VM.console, most=1)
    assert isinstance(last, VmPage)
    assert (last.listed, last.next, [*last.unasked]) == ([], None, ["other"])

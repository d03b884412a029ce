"""Every list that is asked of ARM: whole, or told as what cannot be had. A lost page of denials would open consoles."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from dev.arm.faults import Fault
from dev.arm.world import Denial, Lock, StorageAccount
from dev.demo import ADA, AUTOMATION, CONTRIBUTOR, READER, SUBSCRIPTION, Assignment, group
from shared.access.ports import Visible
from shared.access.rights import DEFAULT, SCOPE_ACTIONS, Right, on_vm
from shared.base import azure_troubles
from shared.base.ports import Trouble, Unavailable
from shared.base.refusals import Refusal
from shared.base.vm import VmId
from tests.contract.arm import PERIOD, Arm, application, vm
from tests.contract.test_arm_failing import FAULTS, FOR_EVER

WEB = vm("web-01")
INSTANCES = [VmId(SUBSCRIPTION, "rg-web", str(number), "workers") for number in range(6)]
WRITE = on_vm(DEFAULT, Right.WRITE, WEB)
WHOLE = f"/subscriptions/{SUBSCRIPTION}"
HARMLESS = Denial((ADA.oid, AUTOMATION.oid), WHOLE, ("Microsoft.Compute/galleries/*",))

type Ask = Callable[[Arm], Awaitable[Any]]


async def _many(arm: Arm, vms: list[VmId]) -> None:
    """So many that a list of all takes fewer questions."""
    for each in vms:
        await arm.shared.vms.find(application(AUTOMATION), each)


def _rights(arm: Arm) -> Awaitable[Any]:
    return arm.rights.missing(arm.user(ADA), WEB.resource_id, WRITE)


def _applications(arm: Arm) -> Awaitable[Any]:
    return arm.rights.missing(application(AUTOMATION), WEB.resource_id, WRITE)


def _live(arm: Arm) -> Awaitable[Any]:
    return arm.shared.rights.missing(application(AUTOMATION), WEB.resource_id, WRITE)


LISTS: dict[str, tuple[str, Ask]] = {
    "VMs": (r"virtualMachines\?(?!.*statusOnly)", lambda arm: arm.vms.visible(arm.user(ADA))),
    "their states": (r"virtualMachines\?.*statusOnly", lambda arm: arm.vms.visible(arm.user(ADA))),
    "permissions": (r"permissions\?", _rights),
    "permissions in a group": (
        r"permissions\?",
        lambda arm: arm.rights.missing(arm.user(ADA), group("rg-web"), SCOPE_ACTIONS),
    ),
    "a user's denials": (r"denyAssignments\?", _rights),
    "an application's denials": (r"denyAssignments\?", _applications),
    "an application's roles": (r"roleAssignments\?", _applications),
    "a user's roles at a subscription": (
        r"roleAssignments\?",
        lambda arm: arm.rights.missing(arm.user(ADA), WHOLE, SCOPE_ACTIONS),
    ),
    "locks": (r"locks\?", lambda arm: arm.around.of(WEB)),
    "accounts": (r"storageAccounts\?", lambda arm: arm.around.account("stcontosodiag", WEB)),
    "roles behind live sessions": (r"roleAssignments\?", _live),
    "denials in their subscription": (r"denyAssignments\?(?!.*assignedTo)", _live),
    "denials of their people": (r"denyAssignments\?(?=.*assignedTo)", _live),
    "VMs behind them": (
        r"virtualMachines\?",
        lambda arm: _many(arm, [VmId.parse(each.id) for each in arm.world.vms()[:6]]),
    ),
    "instances behind them": (r"virtualMachines\?", lambda arm: _many(arm, INSTANCES)),
    "ports": (r"serialPorts\?", lambda arm: arm.shared.around.of(WEB)),
}
JSON = "application/json"
NO_PAGES = {
    "no value": "{}",
    "an error with 200": '{"error": {"code": "InternalServerError"}}',
    "value is null": '{"value": null}',
    "value is an object": '{"value": {}}',
    "value is a text": '{"value": ""}',
    "items that are none": '{"value": [null]}',
    "a list": "[]",
    "null": "null",
    "nothing at all": "",
    "goes on elsewhere": '{"value": [], "nextLink": "https://example.com/next"}',
    "goes on nowhere": '{"value": [], "nextLink": {"href": 1}}',
}
NO = {
    f"{status} of its own": (Fault(status=status, code="AuthorizationFailed"), Trouble.AWAY, None)
    for status in (403, 404)
}


def no_pages() -> dict[str, tuple[Fault, Trouble, int | None]]:
    return {name: (Fault(status=200, raw=raw, media=JSON), Trouble.AWAY, None) for name, raw in NO_PAGES.items()}


@pytest.fixture(autouse=True)
def two_of_everything(arm: Arm, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a page each."""
    monkeypatch.setattr(azure_troubles, "BACKOFF_SECONDS", 0.01)
    arm.world.page_size = 1
    arm.world.locks = (Lock("one", WHOLE, "CanNotDelete"), Lock("two", WHOLE, "CanNotDelete"))
    arm.world.denials = (HARMLESS, HARMLESS)
    arm.world.accounts["stcontosoother"] = StorageAccount("rg-data")
    for oid in (ADA.oid, AUTOMATION.oid):
        arm.world.assignments += (Assignment(oid, READER, WHOLE), Assignment(oid, CONTRIBUTOR, WHOLE))


async def told(arm: Arm, ask: Ask) -> tuple[str, Trouble, int | None] | str:
    """What is said of a list that fails; whatever else is answered, as it is."""
    arm.clock.time += PERIOD  # nothing that was answered before is as young as that
    try:
        answer = await ask(arm)
    except Unavailable as error:
        if error.trouble is Trouble.SILENT:  # no fault here is silent: the machine was too busy to answer in time
            return await told(arm, ask)
        return error.what, error.trouble, error.retry_after
    if isinstance(answer, Visible) and not answer.vms and (why := answer.unasked.get(SUBSCRIPTION)):
        return why.what, why.trouble, why.retry_after
    return f"taken for an answer: {answer}"


@pytest.mark.parametrize("which", LISTS)
async def test_every_list_of_the_matrix_is_asked_for_on_two_pages(arm: Arm, which: str) -> None:
    page, ask = LISTS[which]
    later = Fault(match=f"{page}.*skiptoken", count=FOR_EVER)
    arm.world.faults = [later]
    assert not isinstance(await ask(arm), Refusal)
    assert later.count < FOR_EVER


@pytest.mark.parametrize("later", [False, True], ids=["first page", "later page"])
@pytest.mark.parametrize("which", LISTS)
async def test_a_list_of_which_a_page_does_not_come_is_no_list(arm: Arm, which: str, *, later: bool) -> None:
    page, ask = LISTS[which]
    match = f"{page}.*skiptoken" if later else f"{page}(?!.*skiptoken)"
    faults = {**FAULTS, **no_pages(), **(NO if later else {})}
    found = {}
    for name, (fault, _, _) in faults.items():
        arm.world.faults = [replace(fault, match=match, count=FOR_EVER)]
        found[name] = await told(arm, ask)
    assert found == {name: ("arm", trouble, after) for name, (_, trouble, after) in faults.items()}

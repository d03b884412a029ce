"""`connect` of Microsoft.SerialConsole through Microsoft's SDK: what the stand-in refuses, as the relay tells it."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from azure.mgmt.serialconsole.aio import MicrosoftSerialConsoleClient

from dev.arm.faults import Fault
from dev.arm.roles import OPENS, OPENS_LEAST
from dev.arm.world import Lock, StorageAccount, World
from dev.demo import RELAY_OPENS, SERVICE, SUBSCRIPTION, Assignment
from shared.base.azure_troubles import prompt_options, prompt_transport
from shared.base.ports import Trouble, Unavailable
from shared.base.refusals import Code, Refusal
from shared.base.vm import VmId
from shared.console.ports import PortListener
from shared.console.serial.serial_ports import AzureSerialPorts
from tests.contract.arm import Arm, vm

DB = vm("db-01", "rg-data")
NAME = "stcontosodiag"


class Nobody(PortListener):
    def printed(self, data: bytes) -> None:
        raise AssertionError(data)

    def lost(self, taken_over: bool, why: str) -> None:  # noqa: FBT001 - the port's own words
        raise AssertionError(taken_over, why)


@pytest.fixture
async def ports(arm: Arm) -> AsyncIterator[AzureSerialPorts]:
    """With the service's identity; its client has to be told whom to trust."""
    address = arm.access.service.arm
    made = AzureSerialPorts(address, arm.service, arm.http)
    made._clients[SUBSCRIPTION] = MicrosoftSerialConsoleClient(
        arm.service, SUBSCRIPTION, base_url=address, credential_scopes=[f"{address}/.default"],
        transport=prompt_transport(1.0, connection_verify=str(arm.authority)), **prompt_options(),
    )  # fmt: skip
    arm.world.assignments = arm.may_connect()
    yield made
    await made.close()


def changed(world: World, name: str, **changes: Any) -> None:
    unit = world.units[name]
    for key in changes.keys() & {"power", "port_enabled"}:
        setattr(unit, key, changes.pop(key))
    unit.vm = replace(unit.vm, **changes)


def kept_in(**changes: Any) -> Any:
    return lambda world: world.accounts.update({NAME: StorageAccount("rg-data", **changes)})


def least(world: World) -> None:
    whole = f"/subscriptions/{SUBSCRIPTION}"
    world.assignments = (Assignment(SERVICE.oid, OPENS_LEAST.id, whole),)


OFF = {"boot_diagnostics": False}
CASES: dict[str, tuple[VmId, Any, Code]] = {
    "stopped": (DB, lambda world: changed(world, "db-01", power="stopped"), Code.VM_NOT_RUNNING),
    "being deployed": (DB, lambda world: changed(world, "db-01", provisioning="Updating"), Code.VM_PROVISIONING),
    "no diagnostics": (
        DB,
        lambda world: changed(world, "db-01", **OFF),
        Code.BOOT_DIAGNOSTICS_DISABLED,
    ),
    "port off": (DB, lambda world: changed(world, "db-01", port_enabled=False), Code.SERIAL_PORT_DISABLED),
    "switched off": (
        DB,
        lambda world: setattr(world, "console_disabled", True),
        Code.CONSOLE_DISABLED_FOR_SUBSCRIPTION,
    ),
    "locked": (DB, lambda world: setattr(world, "locks", (Lock("keep", DB.group_id),)), Code.RESOURCE_LOCKED),
    "hierarchical": (DB, kept_in(hierarchical=True), Code.BOOT_DIAGNOSTICS_STORAGE_UNSUPPORTED),
    "firewall": (DB, kept_in(default_action="Deny"), Code.BOOT_DIAGNOSTICS_STORAGE_FORBIDDEN),
    "no keys": (DB, kept_in(shared_keys=False), Code.BOOT_DIAGNOSTICS_STORAGE_FORBIDDEN),
    "deleted": (DB, lambda world: world.accounts.clear(), Code.BOOT_DIAGNOSTICS_STORAGE_NOT_FOUND),
    "no such VM": (vm("nope"), lambda _: None, Code.VM_NOT_FOUND),
    "no right": (DB, lambda world: setattr(world, "assignments", ()), Code.SERVICE_NOT_PERMITTED),
    "the role is not the published one": (DB, least, Code.SERVICE_NOT_PERMITTED),
}


@pytest.mark.parametrize("case", CASES)
async def test_each_meaning_of_a_no_has_its_own_code(arm: Arm, ports: AzureSerialPorts, case: str) -> None:
    of, change, code = CASES[case]
    change(arm.world)
    refusal = await ports.open(of, Nobody())
    assert isinstance(refusal, Refusal)
    assert (refusal.code, refusal.target) == (code, of.resource_id)


@pytest.mark.parametrize("lacks", [each for each in OPENS.actions if "ScaleSets" not in each])
async def test_of_the_published_role_nothing_may_be_missing(arm: Arm, ports: AzureSerialPorts, lacks: str) -> None:
    left = tuple(each for each in OPENS.actions if each != lacks)
    arm.world.roles = {RELAY_OPENS: replace(OPENS, actions=left)}
    arm.world.assignments = (Assignment(SERVICE.oid, RELAY_OPENS, f"/subscriptions/{SUBSCRIPTION}"),)
    refusal = await ports.open(DB, Nobody())
    assert isinstance(refusal, Refusal)
    assert refusal.code is Code.SERVICE_NOT_PERMITTED
    assert refusal.message.startswith("The service is not allowed to ")


async def test_what_azure_has_never_said_before_is_told_in_its_words(arm: Arm, ports: AzureSerialPorts) -> None:
    arm.world.faults = [Fault("/connect", 409, "NewCode", "The moon is full.")]
    refusal = await ports.open(DB, Nobody())
    assert isinstance(refusal, Refusal)
    assert (refusal.code, refusal.message.rpartition(": ")[2]) == (Code.CONNECT_REFUSED, "The moon is full.")


@pytest.mark.parametrize(
    ("fault", "kind", "after"),
    [
        (Fault("/connect", 429, retry_after="23", count=9), Trouble.THROTTLED, 23),
        (Fault("/connect", 503, count=9), Trouble.AWAY, None),
        (Fault("/connect", 409, raw="<html>a proxy</html>", count=9), Trouble.AWAY, None),
        (Fault("/connect", hang=30, count=9), Trouble.SILENT, None),
        (Fault("/connect", cut="before", count=9), Trouble.AWAY, None),
    ],
)
async def test_what_breaks_or_throttles_is_no_refusal(
    arm: Arm, ports: AzureSerialPorts, fault: Fault, kind: Trouble, after: int | None
) -> None:
    arm.world.faults = [fault]
    with pytest.raises(Unavailable) as caught:
        await ports.open(DB, Nobody())
    assert (caught.value.what, caught.value.trouble, caught.value.retry_after) == ("arm", kind, after)

"""Who may open a console, cell by cell: every expectation comes from the tables of docs/access.md, every answer from
the real API before the stand-ins of Entra ID and Azure Resource Manager.
"""

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest

from dev.arm.roles import OWNER, STORAGE_ACCOUNT_CONTRIBUTOR
from dev.arm.world import Denial, Lock, StorageAccount, World
from dev.demo import (
    ADA,
    AUTOMATION,
    CONTRIBUTOR,
    OTHER_SUBSCRIPTION,
    READER,
    SERVICE,
    SUBSCRIPTION,
    TENANT,
    VM_CONTRIBUTOR,
    Assignment,
    group,
)
from dev.entra.tokens import app_token, user_token
from shared.access.checks import CheckName
from tests.access_tables import Row, table
from tests.functions.control_plane import ControlPlane

WHOLE = f"/subscriptions/{SUBSCRIPTION}"
VM = f"{group('rg-web')}/providers/Microsoft.Compute/virtualMachines/web-01"
TEAM = "0a0c0000-0000-4000-8000-0000000000aa"
CALLERS = ("a person", "an application: a Logic App's managed identity, a service principal")
OID = {CALLERS[0]: ADA.oid, CALLERS[1]: AUTOMATION.oid}
EVERYTHING = ("*",)

type Change = Callable[[World], None]


def of_the_vm(**changes: Any) -> Change:
    def change(world: World) -> None:
        world.units["web-01"].vm = replace(world.units["web-01"].vm, **changes)

    return change


def of_the_unit(**changes: Any) -> Change:
    def change(world: World) -> None:
        for name, value in changes.items():
            setattr(world.units["web-01"], name, value)

    return change


def account(uri: str = "https://stmatrix.blob.core.windows.net/", **kept: Any) -> Change:
    def change(world: World) -> None:
        of_the_vm(storage_uri=uri)(world)
        if kept:
            world.accounts["stmatrix"] = StorageAccount(**kept)

    return change


def locked(scope: str) -> Change:
    return lambda world: setattr(world, "locks", (Lock("freeze", scope),))


STATES: Mapping[str, Change] = {
    "the VM runs, is deployed, keeps boot diagnostics": lambda _: None,
    "the VM is deallocated": of_the_unit(power="deallocated"),
    "the VM is stopped": of_the_unit(power="stopped"),
    "the VM's deployment has not succeeded": of_the_vm(provisioning="Failed"),
    "boot diagnostics are off": of_the_vm(boot_diagnostics=False),
    "a read-only lock is on the VM": locked(VM),
    "a read-only lock is on the group": locked(group("rg-web")),
    "the serial port is disabled": of_the_unit(port_enabled=False),
    "Azure's console is disabled for the subscription": lambda world: setattr(world, "console_disabled", True),
    "the VM is in uksouth, and `REGIONS_CLOSED` is `preview`": of_the_vm(location="uksouth"),
}
STORAGES: Mapping[str, Change] = {
    "managed storage": lambda _: None,
    "an account in the VM's group": account(group="rg-web"),
    "an account in another group": account(group="rg-data"),
    "an account in a subscription that the service may read": account(group="rg-x", subscription=OTHER_SUBSCRIPTION),
    "an account whose firewall denies": account(group="rg-web", default_action="Deny"),
    "an account that nobody may access by its keys": account(group="rg-web", shared_keys=False),
    "an account with a hierarchical namespace": account(group="rg-web", hierarchical=True),
    "an account that was deleted": account(),
    "an account that the service cannot see": account(group="rg-web", hidden=True),
    "a URI that is not https": account("http://stmatrix.blob.core.windows.net/"),
    "a URI of another host": account("https://169.254.169.254/metadata"),
}
ROLES = {
    "none": "",
    "Reader": READER,
    "Storage Account Contributor": STORAGE_ACCOUNT_CONTRIBUTOR,
    "Virtual Machine Contributor": VM_CONTRIBUTOR,
    "Contributor": CONTRIBUTOR,
    "Owner": OWNER,
    "Contributor, with a condition": CONTRIBUTOR,
    "Contributor, with connect denied": CONTRIBUTOR,
    "Contributor, with everything denied": CONTRIBUTOR,
}
DENIED = {
    "Contributor, with connect denied": ("Microsoft.SerialConsole/serialPorts/connect/action",),
    "Contributor, with everything denied": EVERYTHING,
}
SCOPES = {
    "the VM": VM,
    "the VM's group": group("rg-web"),
    "the subscription": WHOLE,
    "another group": group("rg-data"),
    "the subscription, to a group that the caller is in": WHOLE,
}
POLICIES: Mapping[str, Mapping[str, Mapping[str, Any]]] = {
    "none": {},
    "the tenant switches off": {"/": {"console": "off"}},
    "the subscription switches off": {WHOLE: {"console": "off"}},
    "the group switches off": {group("rg-web"): {"console": "off"}},
    "the VM switches off": {VM: {"console": "off"}},
    "the tenant switches off, the VM switches on": {"/": {"console": "off"}, VM: {"console": "on"}},
    "other networks only": {WHOLE: {"networks": ["203.0.113.0/24"]}},
    "this network": {WHOLE: {"networks": ["127.0.0.0/8", "::1/128"]}},
    "a tag that the VM lacks": {group("rg-web"): {"tags": {"console": ["allowed"]}}},
    "a tag that the VM carries": {group("rg-web"): {"tags": {"Role": ["frontend"]}}},
    "other regions only": {"/": {"regions": ["North Europe"]}},
    "approval for writing": {VM: {"approval": ["write"]}},
    "an authentication context for writing": {WHOLE: {"signIn": {"write": "c1"}}},
}


@dataclass(frozen=True)
class Cell:
    """One combination: a row of each table."""

    caller: str
    role: Row
    scope: Row
    state: Row
    storage: Row
    policy: Row

    def expected(self) -> set[str]:
        """All codes that the tables name for these rows together."""
        on_vm = self.role["on the VM"] if self.scope["reaches the VM"] == "yes" else "VmNotFound"
        if on_vm == "VmNotFound":
            return {"VmNotFound"}
        refused = {on_vm, self.state["refused with"], self._storage(), self._policy()}
        return refused - {""}

    def _storage(self) -> str:
        """What is wrong with the account; else what the role lacks there. With diagnostics off nobody asks."""
        if self.state["what is so"] == "boot diagnostics are off":
            return ""
        place = self.storage["the account is in"]
        lacked = self.role["on the account"]
        if place == "nowhere":
            return self.storage["refused with"]
        reached = place in self.scope["reaches an account in"].split(", ")
        return (lacked if reached else "StoragePermissionDenied") or self.storage["refused with"]

    def _policy(self) -> str:
        """Azure's own switch of the subscription speaks first; applications cannot be challenged; one region check."""
        code = self.policy["refused with"]
        if code.startswith("ConsoleDisabled") and self.state["refused with"] == "ConsoleDisabledForSubscription":
            return "ConsoleDisabledForSubscription"
        return "StepUpUnsupported" if code == "MfaRequired" and self.caller != CALLERS[0] else code


def cells() -> Iterator[Cell]:
    """Every caller, role, scope and account while all else is well; every state, account and policy for who may."""
    roles, scopes, policies = table("role"), table("the role is assigned at"), table("policy")
    states, storages = table("what is so"), table("boot diagnostics are kept in")
    for which in itertools.product(CALLERS, roles, scopes, storages[:4]):
        yield Cell(which[0], which[1], which[2], states[0], which[3], policies[0])
    contributor = next(row for row in roles if row["role"] == "Contributor")
    subscription = next(row for row in scopes if row["the role is assigned at"] == "the subscription")
    for number, (policy, state, storage) in enumerate(itertools.product(policies, states, storages)):
        if number % 4 == 0 or storage is storages[0]:
            yield Cell(CALLERS[number % 2], contributor, subscription, state, storage, policy)


@pytest.fixture
def untouched(plane: ControlPlane) -> Iterator[ControlPlane]:
    """The fleet as it was before, and no policies, when all cells are done."""
    yield plane
    fresh = World()
    for name in ("units", "assignments", "members", "denials", "locks", "accounts", "console_disabled"):
        setattr(plane.world, name, getattr(fresh, name))
    for scope in ("/", WHOLE, group("rg-web"), VM):
        set_policy(plane, scope, None)


def test_every_cell_of_the_matrix_is_as_the_document_says(untouched: ControlPlane) -> None:
    plane, asked, wrong, before = untouched, 0, [], None
    tokens = {CALLERS[0]: user_token(plane.stack, ADA), CALLERS[1]: app_token(plane.stack, AUTOMATION)}
    for cell in cells():
        if cell.policy["policy"] != before:
            before = cell.policy["policy"]
            for scope in ("/", WHOLE, group("rg-web"), VM):
                set_policy(plane, scope, POLICIES[before].get(scope))
        arrange(plane.world, cell)
        answer = plane.call("GET", f"/api{VM}/serialConsole", tokens[cell.caller])
        asked += 1
        if (found := codes(answer.json())) != cell.expected():
            wrong.append((cell, cell.expected(), found))
    assert not wrong, f"{len(wrong)} of {asked} cells; the first: {wrong[0]}"
    assert asked >= 500


def test_the_tables_and_this_test_know_the_same_rows() -> None:
    for first, known in (
        ("what is so", STATES),
        ("boot diagnostics are kept in", STORAGES),
        ("role", ROLES),
        ("the role is assigned at", SCOPES),
        ("policy", POLICIES),
    ):
        assert [row[first] for row in table(first)] == list(known)
    assert {*CALLERS} < {row["caller"] for row in table("caller")}


def codes(said: Mapping[str, Any]) -> set[str]:
    """The codes of the checks that did not pass, in the order of the checks; or of the refusal."""
    if "error" in said:
        return {said["error"]["code"]}
    assert [each["check"] for each in said["checks"]] == [each for each in CheckName if each is not CheckName.REASON]
    return {each["code"] for each in said["checks"] if not each["passed"]}


def arrange(world: World, cell: Cell) -> None:
    """Makes Azure what the cell says."""
    fresh, role, oid = World(), cell.role["role"], OID[cell.caller]
    scope = cell.scope["the role is assigned at"]
    world.units, world.accounts, world.locks = fresh.units, fresh.accounts, ()
    world.console_disabled = False
    through_group = scope.endswith("the caller is in")
    world.members = {TEAM: (oid,)} if through_group else {}
    world.denials = (Denial((oid,), WHOLE, DENIED[role]),) if role in DENIED else ()
    condition = "@Resource[x] StringEquals 'y'" if role.endswith("a condition") else None
    assignments: Sequence[Assignment] = [
        Assignment(SERVICE.oid, READER, WHOLE),
        Assignment(SERVICE.oid, READER, f"/subscriptions/{OTHER_SUBSCRIPTION}"),
    ]
    if ROLES[role]:
        who = TEAM if through_group else oid
        assignments = [*assignments, Assignment(who, ROLES[role], SCOPES[scope], condition)]
    world.assignments = tuple(assignments)
    STATES[cell.state["what is so"]](world)
    STORAGES[cell.storage["boot diagnostics are kept in"]](world)


def set_policy(plane: ControlPlane, scope: str, policy: Mapping[str, Any] | None) -> None:
    address = "/api/policy" if scope == "/" else f"/api{scope}/serialConsole/policy"
    root = user_token(plane.stack, ADA, roles=["Console.Administrator"], tid=TENANT)
    answer = plane.call("DELETE" if policy is None else "PUT", address, root, **({"json": policy} if policy else {}))
    assert answer.status_code in (200, 204), answer.text

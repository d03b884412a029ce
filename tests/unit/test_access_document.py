"""docs/access.md and the custom roles beside it, held to the code."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from dev.stack import ROOT
from shared.access.azure_roles import Permission, missing
from shared.access.policy import Policy
from shared.access.policy_codec import policy_to_json
from shared.access.rights import DEFAULT, SCOPE_ACTIONS, Right, on_storage, on_vm
from shared.base.refusals import Code
from shared.base.settings import names
from shared.base.vm import VmId
from shared.session.flows.switch_console import STATUS_ACTION
from shared.settings import FunctionSettings
from tests.access_tables import table

VM = VmId("5b5c0000-0000-4000-8000-000000000001", "rg", "vm")
INSTANCE = VmId(VM.subscription, "rg", "0", "set")
SUBSCRIPTION = f"/subscriptions/{VM.subscription}"
_CONSOLE = "Microsoft.SerialConsole/"


def role(name: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = json.loads((ROOT / "docs" / "roles" / f"{name}.json").read_text())
    return found


def lacked(name: str, actions: tuple[str, ...]) -> tuple[str, ...]:
    permission = Permission(tuple(role(name)["Actions"]), tuple(role(name)["NotActions"]))
    return missing(actions, [permission], [], VM.resource_id, "somebody")


def test_the_table_of_rights_is_the_one_that_is_asked() -> None:
    documented = {row["right"]: row["Azure actions"] for row in table("right")}
    assert documented == {f"`{right}`": " ".join(f"`{action}`" for action in DEFAULT[right]) for right in Right}


@pytest.mark.parametrize(
    ("name", "rights"),
    [
        ("operator", {Right.WATCH, Right.WRITE, Right.POWER, Right.NMI, Right.APPROVE}),
        ("watcher", {Right.WATCH}),
        ("auditor", {Right.READ}),
        ("administrator", {Right.ADMINISTER}),
    ],
)
def test_a_custom_role_grants_its_rights_and_nothing_that_they_do_not_need(name: str, rights: set[Right]) -> None:
    demanded = {action for right in rights for vm in (VM, INSTANCE) for action in on_vm(DEFAULT, right, vm)}
    demanded |= {action for right in rights for action in on_storage(DEFAULT, right)}
    assert lacked(name, tuple(demanded)) == ()
    if name == "administrator":
        assert lacked(name, (*SCOPE_ACTIONS, STATUS_ACTION)) == ()
        demanded = {each for each in demanded if not each.startswith(_CONSOLE)} | {f"{_CONSOLE}*"}
    assert set(role(name)["Actions"]) == demanded
    assert role(name)["NotActions"] == ([f"{_CONSOLE}serialPorts/connect/action"] if name == "administrator" else [])
    assert role(name)["AssignableScopes"] == ["/subscriptions/{subscription id}"]


@pytest.mark.parametrize("name", ["operator", "watcher", "auditor", "administrator"])
def test_a_custom_role_names_no_action_of_which_nobody_knows_that_azure_has_registered_it(name: str) -> None:
    """One such fails the whole role. `connect` stands in Azure's built-in roles; the wildcard meets it."""
    named = {each for each in (*role(name)["Actions"], *role(name)["NotActions"]) if each.startswith(_CONSOLE)}
    assert named <= {f"{_CONSOLE}*", f"{_CONSOLE}serialPorts/connect/action"}


@pytest.mark.parametrize(
    ("name", "beyond"), [("watcher", Right.WRITE), ("auditor", Right.WATCH), ("administrator", Right.WRITE)]
)
def test_a_custom_role_stops_where_its_name_does(name: str, beyond: Right) -> None:
    assert lacked(name, on_vm(DEFAULT, beyond, VM))


def test_every_field_of_a_policy_is_documented() -> None:
    assert [row["field"] for row in table("field")] == [f"`{name}`" for name in policy_to_json(Policy())]


@pytest.mark.parametrize(
    ("first", "column"),
    [
        ("what is so", "refused with"),
        ("boot diagnostics are kept in", "refused with"),
        ("role", "on the VM"),
        ("role", "on the account"),
        ("policy", "refused with"),
    ],
)
def test_every_refusal_that_it_names_is_one(first: str, column: str) -> None:
    assert {row[column] for row in table(first)} - {""} <= {code.value for code in Code}


def test_every_limit_names_its_setting() -> None:
    for row in table("limit"):
        assert row["setting"].split("`")[1] in names(FunctionSettings)

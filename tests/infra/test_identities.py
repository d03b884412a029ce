"""Every role that is granted is needed, every need is granted, and docs/identities.md says which and why."""

import re
from collections.abc import Iterator

import pytest

from dev.arm.roles import LOOKS, OPENS, OPENS_LEAST
from dev.demo import ASSIGNMENTS, RELAY, SERVICE
from dev.stack import ROOT
from tests.infra import bicep, checks

GRANTS = (ROOT / "infra" / "modules" / "grants.bicep").read_text()
PAGE = (ROOT / "docs" / "identities.md").read_text()
FILES = {file.name: file for file in bicep.files()}
BY_PLATFORM = {"the Functions host", "Container Apps"}
"""What is not code of ours uses these."""


def table(page: str, first: str) -> list[list[str]]:
    """The rows of the table whose first column is headed so."""
    rows = page[page.index(f"| {first}") :].split("\n\n", maxsplit=1)[0].splitlines()[2:]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


def granted() -> Iterator[tuple[str, str]]:
    for file in FILES.values():
        for role, _ in checks.role_assignments(file):
            yield file.name, role


def use_problems(used_by: str, call: str) -> Iterator[str]:
    path, words = ROOT / used_by, call.strip("`")
    if not path.is_file():
        yield f"{used_by} is not there"
    elif words not in path.read_text():
        yield f"{used_by} does not call {words}"


def test_the_page_lists_what_is_granted_and_nothing_else() -> None:
    listed = sorted((row[4], row[2]) for row in table(PAGE, "identity"))
    assert listed == sorted(granted())


@pytest.mark.parametrize("row", table(PAGE, "identity"), ids=lambda row: f"{row[0]} {row[1]}")
def test_each_role_is_used_by_the_call_that_the_page_names(row: list[str]) -> None:
    identity, _, _, _, _, used_by, call = row
    assert identity in ("api", "relay")
    assert used_by in BY_PLATFORM or not list(use_problems(used_by, call))


def actions_in(text: str) -> set[str]:
    return set(re.findall(r"'(Microsoft\.[\w/]+)'\n", text))


def variable(name: str) -> str:
    """What is assigned to it in the roles' file."""
    return GRANTS[GRANTS.index(f"var {name} = ") :].split("]\n", maxsplit=1)[0]


def test_the_services_own_roles_hold_the_listed_actions_and_no_other() -> None:
    bodies = [
        resource.body
        for file in FILES.values()
        for resource in file.resources
        if resource.kind == "Microsoft.Authorization/roleDefinitions"
    ]
    actions = {action for body in (*bodies, variable("least")) for action in actions_in(body)}
    assert sorted(actions) == sorted(row[0] for row in table(PAGE, "action of `looks`"))
    narrow = (*bodies, variable("least"))
    assert not any(re.search(r"(write|delete|update|backup|\*)['/]", body) for body in narrow)
    assert actions_in(variable("published")) == {row[0] for row in table(PAGE, "action of `published`")}


def test_no_role_names_an_action_that_azure_has_not_registered() -> None:
    """Azure/azure-rest-api-specs, issues 23472 and 23475: one such fails the whole deployment."""
    for name in ("serialPorts/read", "serialPorts/delete", "consoleServices"):
        assert f"'Microsoft.SerialConsole/{name}" not in GRANTS


def test_the_published_role_is_what_microsoft_publishes() -> None:
    """The list of serial-console-enable-disable.md (MicrosoftDocs/SupportArticles-docs, 10/2025)."""
    published = {
        "Microsoft.Compute/virtualMachines/start/action",
        "Microsoft.Compute/virtualMachines/read",
        "Microsoft.Compute/virtualMachines/write",
        "Microsoft.Resources/subscriptions/resourceGroups/read",
        "Microsoft.Storage/storageAccounts/listKeys/action",
        "Microsoft.Storage/storageAccounts/read",
        "Microsoft.SerialConsole/serialPorts/connect/action",
    }
    held = actions_in(variable("least")) | actions_in(variable("published"))
    of_scale_sets = {each for each in held if "virtualMachineScaleSets" in each}
    assert held - of_scale_sets == published
    machines = {each for each in published if "/virtualMachines/" in each}
    assert of_scale_sets == {
        each.replace("virtualMachines", "virtualMachineScaleSets/virtualMachines") for each in machines
    }


def test_the_local_azure_gives_the_service_the_deployed_roles() -> None:
    looks = next(
        resource.body for resource in FILES["grants.bicep"].resources if "serial console: looks" in resource.body
    )
    assert set(LOOKS.actions) == actions_in(looks) | {"Microsoft.SerialConsole/*/read"}
    assert set(OPENS_LEAST.actions) == actions_in(variable("least"))
    assert set(OPENS.actions) == actions_in(variable("least")) | actions_in(variable("published"))
    held = {(each.principal, each.role) for each in ASSIGNMENTS if each.principal in (SERVICE.oid, RELAY.oid)}
    assert held == {(SERVICE.oid, LOOKS.id), (RELAY.oid, OPENS.id)}


@pytest.mark.parametrize(
    "row", [*table(PAGE, "action of `looks`"), *table(PAGE, "action of `published`")], ids=lambda row: row[0]
)
def test_each_action_is_asked_by_the_call_that_the_page_names(row: list[str]) -> None:
    used_by, _, call = row[1].partition(" ")
    assert not list(use_problems(used_by, call))


def test_roles_are_granted_to_single_things_and_to_managed_identities_alone() -> None:
    for file in FILES.values():
        for _, place in checks.role_assignments(file):
            assert place != "subscription" or file.name == "grants.bicep"
        for resource in file.resources:
            if resource.kind == "Microsoft.Authorization/roleAssignments":
                assert "principalType: 'ServicePrincipal'" in resource.body
                assert "name: guid(" in resource.body, "deployed twice, it is the same"


def test_a_use_that_is_not_there_is_told() -> None:
    assert list(use_problems("shared/adapters/nothing.py", "`x`"))
    assert list(use_problems("shared/base/tables.py", "`drop_everything`"))

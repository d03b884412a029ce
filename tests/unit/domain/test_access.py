import pytest

from shared.domain.access import (
    Denial,
    Permission,
    console_actions,
    may_relay,
    may_use_consoles,
    missing,
    read_action,
)
from shared.domain.caller import Caller, Kind, Secret
from shared.domain.vm import VmId

VM = VmId("5b5c0000-0000-4000-8000-000000000001", "rg", "web")
INSTANCE = VmId(VM.subscription, "rg", "0", "workers")
ME = "me"
OWNER = Permission(("*",))
CONTRIBUTOR = Permission(("*",), ("Microsoft.Authorization/*/Delete", "Microsoft.Authorization/*/Write"))
READER = Permission(("*/read",))
VM_CONTRIBUTOR = Permission(
    (
        "Microsoft.Compute/virtualMachines/*",
        "Microsoft.Compute/virtualMachineScaleSets/*",
        "Microsoft.SerialConsole/serialPorts/connect/action",
    )
)
OPERATOR = Permission(("Microsoft.Compute/virtualMachines/start/action", "Microsoft.Compute/virtualMachines/read"))


def lacks(*permissions: Permission, vm: VmId = VM, denials: tuple[Denial, ...] = ()) -> tuple[str, ...]:
    return missing(console_actions(vm), permissions, denials, vm, ME)


@pytest.mark.parametrize("role", [OWNER, CONTRIBUTOR, VM_CONTRIBUTOR])
@pytest.mark.parametrize("vm", [VM, INSTANCE])
def test_vm_contributors_and_above_may_open_a_console(role: Permission, vm: VmId) -> None:
    assert lacks(role, vm=vm) == ()


@pytest.mark.parametrize("role", [READER, OPERATOR])
def test_lesser_roles_may_not_but_may_read(role: Permission) -> None:
    assert lacks(role)
    assert read_action(VM) not in lacks(role)


def test_without_any_role_everything_is_missing() -> None:
    assert lacks() == console_actions(VM)


def test_not_actions_subtract_only_inside_their_own_role() -> None:
    connect = console_actions(VM)[-1]
    without = Permission(("*",), (connect,))
    assert lacks(without) == (connect,)
    assert lacks(without, VM_CONTRIBUTOR) == ()


def test_letter_case_is_free_and_stars_span_slashes() -> None:
    assert Permission(("microsoft.compute/*/ACTION",)).allows("Microsoft.Compute/virtualMachines/restart/action")
    assert not Permission(("Microsoft.Compute/virtualMachines/read",)).allows("Microsoft.Compute/virtualMachines/readX")
    assert not Permission(("Microsoft.Compute/virtualMachines/*",)).allows("MicrosoftXCompute/virtualMachines/read")


def test_a_condition_that_cannot_be_evaluated_grants_nothing() -> None:
    assert lacks(Permission(("*",), condition="@Resource[...] StringEquals 'x'")) == console_actions(VM)


GROUP = f"/subscriptions/{VM.subscription}/resourceGroups/RG"


@pytest.mark.parametrize(
    ("denial", "wins"),
    [
        (Denial((OWNER,), GROUP), True),
        (Denial((OWNER,), VM.resource_id, only_this_scope=True), True),
        (Denial((OWNER,), GROUP, only_this_scope=True), False),
        (Denial((OWNER,), GROUP, frozenset({ME})), False),
        (Denial((OWNER,), f"{GROUP}-other"), False),
        (Denial((Permission(("*",), ("*",)),), GROUP), False),
        (Denial((Permission(("Microsoft.Storage/*",)),), GROUP), False),
    ],
)
def test_a_denial_wins_where_it_reaches(denial: Denial, wins: bool) -> None:  # noqa: FBT001 - a column of the table
    assert bool(lacks(OWNER, denials=(denial,))) is wins


def caller(kind: Kind, *roles: str) -> Caller:
    return Caller("t", "o", "n", kind, frozenset(roles), Secret("x"))


def test_users_and_automations_use_consoles_and_relays_relay() -> None:
    relay, automation = caller(Kind.APPLICATION, "Relay.Attach"), caller(Kind.APPLICATION, "Console.Automation")
    user = caller(Kind.USER, "Relay.Attach")
    assert [may_use_consoles(each) for each in (user, automation, relay)] == [True, True, False]
    assert [may_relay(each) for each in (user, automation, relay)] == [False, False, True]


def test_a_callers_token_prints_nowhere() -> None:
    assert "x" not in repr(caller(Kind.USER).token)
    assert caller(Kind.USER).token.reveal() == "x"

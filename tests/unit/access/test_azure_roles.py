"""Azure's rules of roles and denials, against a specification written for reading, not for speed."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.access.azure_roles import (
    Denial,
    Permission,
    _matches,
    honoured,
    may_relay,
    may_use_consoles,
    missing,
    reaches,
)
from shared.access.rights import DEFAULT, Right, on_vm, read_action
from shared.base.caller import CallerKind
from shared.base.vm import VmId
from tests.unit.access.sight import GROUP, INSTANCE, SUBSCRIPTION, WEB, caller

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


def lacks(*permissions: Permission, vm: VmId = WEB, denials: tuple[Denial, ...] = ()) -> tuple[str, ...]:
    return missing(on_vm(DEFAULT, Right.WRITE, vm), permissions, denials, vm.resource_id, ME)


@pytest.mark.parametrize("role", [OWNER, CONTRIBUTOR, VM_CONTRIBUTOR])
@pytest.mark.parametrize("vm", [WEB, INSTANCE])
def test_vm_contributors_and_above_may_write(role: Permission, vm: VmId) -> None:
    assert lacks(role, vm=vm) == ()


@pytest.mark.parametrize("role", [READER, OPERATOR])
def test_lesser_roles_may_not_but_may_read(role: Permission) -> None:
    assert lacks(role)
    assert read_action(WEB) not in lacks(role)


def test_without_any_role_everything_is_missing() -> None:
    assert lacks() == on_vm(DEFAULT, Right.WRITE, WEB)


def test_not_actions_subtract_only_inside_their_own_role() -> None:
    connect = "Microsoft.SerialConsole/serialPorts/connect/action"
    without = Permission(("*",), (connect,))
    assert lacks(without) == (connect,)
    assert lacks(without, VM_CONTRIBUTOR) == ()


def test_letter_case_is_free_and_stars_span_slashes() -> None:
    assert Permission(("microsoft.compute/*/ACTION",)).allows("Microsoft.Compute/virtualMachines/restart/action")
    assert not Permission(("Microsoft.Compute/virtualMachines/read",)).allows("Microsoft.Compute/virtualMachines/readX")
    assert not Permission(("Microsoft.Compute/virtualMachines/*",)).allows("MicrosoftXCompute/virtualMachines/read")


@pytest.mark.parametrize("pattern", ["a/\u212a", "a/\u017fk", "a/s\u212a"])
def test_letters_that_only_look_alike_are_not_alike(pattern: str) -> None:
    assert not Permission((pattern,)).allows("a/sk")


def test_a_condition_that_cannot_be_evaluated_grants_nothing() -> None:
    assert lacks(Permission(("*",), condition="@Resource[...] StringEquals 'x'")) == lacks()


def test_a_pattern_of_many_stars_holds_nobody_up() -> None:
    """Tried in every way it would take longer than anybody lives."""
    assert not Permission(("*a" * 40 + "*z",)).allows("Microsoft.Compute/virtualMachines/read" + "a" * 200)


@pytest.mark.parametrize(
    ("denial", "wins"),
    [
        (Denial((OWNER,), GROUP), True),
        (Denial((OWNER,), GROUP.upper() + "/"), True),
        (Denial((OWNER,), SUBSCRIPTION), True),
        (Denial((OWNER,), "/"), True),
        (Denial((OWNER,), WEB.resource_id, only_this_scope=True), True),
        (Denial((OWNER,), WEB.resource_id.upper() + "/", only_this_scope=True), True),
        (Denial((OWNER,), GROUP, only_this_scope=True), False),
        (Denial((OWNER,), GROUP, frozenset({ME})), False),
        (Denial((OWNER,), GROUP, frozenset({"somebody"})), True),
        (Denial((OWNER,), f"{GROUP}-other"), False),
        (Denial((OWNER,), GROUP[:-1]), False),
        (Denial((OWNER,), f"{WEB.resource_id}/extensions/x"), False),
        (Denial((Permission(("*",), ("*",)),), GROUP), False),
        (Denial((Permission(("Microsoft.Storage/*",)),), GROUP), False),
        (Denial((Permission(("Microsoft.Storage/*",)), OWNER), GROUP), True),
        (Denial((Permission(("*",), condition="of Azure's own"),), GROUP), True),
        (Denial((), GROUP), False),
    ],
)
def test_a_denial_wins_where_it_reaches(denial: Denial, wins: bool) -> None:  # noqa: FBT001 - a column of the table
    assert bool(lacks(OWNER, denials=(denial,))) is wins


LETTERS = "aAbB/.+("
"""Few, so that patterns meet actions; two of them mean something to regular expressions."""
ACTIONS = st.text(LETTERS, min_size=1, max_size=8)
PATTERNS = st.lists(st.text(LETTERS + "*", max_size=8), max_size=3).map(tuple)
ROLES = st.builds(Permission, PATTERNS, PATTERNS, st.none() | st.just("") | st.just("x"))
MANAGEMENT = "/providers/Microsoft.Management/managementGroups/contoso"
IDS = [f"/subscriptions{end}" for end in ("/1", "/1/g/1", "/1/g/1/", "/1/g/2", "/12", "")]
IDS += ["/SUBSCRIPTIONS/1", "/", MANAGEMENT, f"{MANAGEMENT}/"]
DENIALS = st.builds(
    Denial,
    st.lists(ROLES, max_size=2).map(tuple),
    st.sampled_from(IDS),
    st.frozensets(st.sampled_from([ME, "you"])),
    st.booleans(),
)


def fits(pattern: str, action: str) -> bool:
    """A star eats nothing, or one letter more."""
    if not pattern:
        return not action
    if pattern[0] == "*":
        return fits(pattern[1:], action) or (bool(action) and fits(pattern, action[1:]))
    return bool(action) and pattern[0] == action[0] and fits(pattern[1:], action[1:])


def fits_any(patterns: tuple[str, ...], action: str) -> bool:
    return any(fits(pattern.lower(), action.lower()) for pattern in patterns)


def spans(role: Permission, actions: set[str]) -> set[str]:
    return {a for a in actions if fits_any(role.actions, a)} - {a for a in actions if fits_any(role.not_actions, a)}


def above(scope: str) -> list[str]:
    """The scope and everything it lies in."""
    parts = scope.lower().strip("/").split("/")
    return ["/" + "/".join(parts[:length]) for length in range(len(parts), 0, -1)] + ["/"]


def holds_at(denial: Denial, resource_id: str) -> bool:
    if denial.scope.startswith(MANAGEMENT):
        return not denial.only_this_scope
    place = "/" + denial.scope.lower().strip("/")
    return place in (above(resource_id)[:1] if denial.only_this_scope else above(resource_id))


@given(PATTERNS, ACTIONS)
def test_the_matcher_is_the_recursive_one(patterns: tuple[str, ...], action: str) -> None:
    assert _matches(patterns, action) == fits_any(patterns, action)


PIECES = st.tuples(st.text("aB", max_size=3), st.text("aB", max_size=2))
"""What a star stands for, and what follows the star."""


@given(st.text(LETTERS, max_size=2), st.lists(PIECES, max_size=3))
def test_a_star_stands_for_anything(start: str, pieces: list[tuple[str, str]]) -> None:
    """What it stands for may hold the letters that follow it, so that there is more than one way to read an action."""
    pattern = start + "".join(f"*{piece}" for _, piece in pieces)
    action = start + "".join(filling + piece for filling, piece in pieces)
    assert _matches((pattern,), action)
    assert _matches((pattern,), action + "+") == fits(pattern.lower(), action.lower() + "+")


@given(ROLES, ACTIONS)
def test_a_role_is_the_set_of_its_actions(role: Permission, action: str) -> None:
    assert role.allows(action) == (not role.condition and action in spans(role, {action}))


def test_a_scope_reaches_what_is_at_it_or_below_it() -> None:
    vm = WEB.resource_id
    for scope in ("/", MANAGEMENT, WEB.subscription_id, WEB.group_id.upper(), f"{WEB.group_id}/", vm):
        assert reaches(scope, vm), scope
    for scope in (
        "",
        f"{vm}2",
        WEB.group_id[:-1],
        f"{vm}/extensions/x",
        "/providers/Microsoft.Capacity/reservations/1",
    ):
        assert not reaches(scope, vm), scope


def test_a_denial_of_a_scope_that_cannot_be_placed_reaches() -> None:
    permissions = (Permission(("*",)),)
    assert Denial(permissions, "/providers/Microsoft.Else/where").denies("a/read", WEB.resource_id, "oid")
    assert not Denial(permissions, "/providers/x", only_this_scope=True).denies("a/read", WEB.resource_id, "oid")
    assert not Denial(permissions, f"{WEB.group_id}2").denies("a/read", WEB.resource_id, "oid")


@given(
    st.lists(ACTIONS, max_size=4),
    st.lists(ROLES, max_size=3),
    st.lists(DENIALS, max_size=3),
    st.sampled_from([f"/subscriptions{end}" for end in ("/1", "/1/g/1", "/1/G/1", "/2")]),
)
def test_what_is_missing_is_what_no_role_has_or_a_denial_takes(
    actions: list[str], roles: list[Permission], denials: list[Denial], resource_id: str
) -> None:
    every = set(actions)
    granted = set[str]().union(*(spans(role, every) for role in roles if not role.condition))
    taken = set[str]().union(
        *(
            spans(each, every)
            for denial in denials
            for each in denial.permissions
            if holds_at(denial, resource_id) and ME not in denial.excluded
        )
    )
    found = missing(actions, iter(roles), iter(denials), resource_id, ME)
    assert list(found) == [action for action in actions if action not in granted - taken]


@given(ACTIONS, st.lists(ROLES, max_size=3))
def test_more_roles_never_take_anything_away(action: str, roles: list[Permission]) -> None:
    alone = any(
        not missing([action], fewer, (), "/subscriptions/1", ME)
        for fewer in combinations(roles, max(0, len(roles) - 1))
    )
    assert not (alone and missing([action], roles, (), "/subscriptions/1", ME))


def test_users_and_automations_use_consoles_and_relays_relay() -> None:
    relay = caller(kind=CallerKind.APPLICATION, roles=frozenset({"Relay.Attach"}))
    automation = caller(kind=CallerKind.APPLICATION, roles=frozenset({"Console.Automation"}))
    user = caller(roles=frozenset({"Relay.Attach"}))
    assert [may_use_consoles(each) for each in (user, automation, relay)] == [True, True, False]
    assert [may_relay(each) for each in (user, automation, relay)] == [False, False, True]


def test_a_callers_token_prints_nowhere() -> None:
    assert "token" not in repr(caller().token)
    assert caller().token.reveal() == "token"


def test_another_tenants_administrators_make_nobody_ours() -> None:
    handed_out = frozenset({"Console.Automation", "Console.Administrator", "Relay.Attach"})
    assert honoured(handed_out, at_home=True) == handed_out
    assert honoured(handed_out, at_home=False) == {"Console.Automation"}

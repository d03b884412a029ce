from collections.abc import Sequence
from ipaddress import ip_network
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.access.policy import (
    TENANT,
    InvalidScope,
    Level,
    Policy,
    Scope,
    Switch,
    approval_seconds,
    closed_regions,
    network_refusing,
    reasons_wanted,
    region_refusing,
    scopes_of,
    sign_in_wanted,
    switched_off,
    tag_missing,
)
from shared.access.rights import Right
from shared.base.vm import VmId
from tests.unit.access.sight import GROUP, INSTANCE, SCALE_SET, SUBSCRIPTION, WEB, level
from tests.unit.base.test_vm import IDS

# where a policy is set


def test_the_scopes_of_a_vm_come_from_the_tenant_down() -> None:
    assert scopes_of(WEB) == ("/", SUBSCRIPTION, GROUP, WEB.console)
    assert scopes_of(INSTANCE) == ("/", SUBSCRIPTION, GROUP, SCALE_SET, INSTANCE.console)


@given(IDS)
def test_every_scope_of_a_vm_is_read_back_in_any_letter_case(vm: VmId) -> None:
    scopes = scopes_of(vm)
    for depth, text in enumerate(scopes):
        scope = Scope.parse(text.upper())
        assert scope.text == text
        assert scope.above == scopes[:depth]
        assert (scope.vm is not None) == (depth == len(scopes) - 1)
        assert Scope.parse(text) == Scope.parse(scope.text)


def test_the_scope_of_a_vm_names_it_as_it_was_written() -> None:
    assert Scope.parse(WEB.resource_id).vm == WEB
    assert Scope.parse(INSTANCE.resource_id).vm == INSTANCE
    assert Scope.of_vm(WEB) == Scope.parse(WEB.resource_id)


def test_the_vm_that_stands_for_a_wider_scope_lies_within_it() -> None:
    for text in scopes_of(INSTANCE):
        assert text in scopes_of(Scope.parse(text).some_vm)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "//",
        "x",
        f"{SUBSCRIPTION}/",
        f"{SUBSCRIPTION}//",
        SUBSCRIPTION[1:],
        f"/{SUBSCRIPTION}",
        f"{SUBSCRIPTION}\n",
        f" {SUBSCRIPTION}",
        SUBSCRIPTION[:-1],
        "/subscriptions",
        "/subscriptions/x",
        "/subscriptions/*",
        f"{SUBSCRIPTION}/resourceGroups",
        f"{SUBSCRIPTION}/resourceGroups/",
        f"{SUBSCRIPTION}/groups/rg",
        f"{GROUP}/",
        f"{GROUP}.",
        f"{SUBSCRIPTION}/resourceGroups/\u212aiosk",
        f"{SUBSCRIPTION}/re\u017fourceGroups/rg",
        f"{SUBSCRIPTION}/resourceGroups/r\uff47",
        f"{SUBSCRIPTION}/resourceGroups/..",
        f"{SUBSCRIPTION}/resourceGroups/%2e",
        f"{GROUP}/providers/Microsoft.Compute",
        f"{GROUP}/providers/Microsoft.Compute/virtualMachines",
        f"{GROUP}/providers/Microsoft.Compute/disks/x",
        f"{GROUP}/providers/Microsoft.Storage/virtualMachines/x",
        f"{WEB.resource_id}/",
        f"{WEB.resource_id}/extensions/x",
        f"{WEB.resource_id}{WEB.resource_id}",
        f"{SCALE_SET}/",
        f"{SCALE_SET}/virtualMachines",
        "/providers/Microsoft.Management/managementGroups/x",
    ],
)
def test_what_is_no_scope_is_refused(text: str) -> None:
    with pytest.raises(InvalidScope, match="not a tenant, subscription"):
        Scope.parse(text)


def test_a_refusal_does_not_repeat_more_than_a_line_of_what_was_sent() -> None:
    with pytest.raises(InvalidScope) as refused:
        Scope.parse("/x" * 5000)
    assert len(str(refused.value)) < 200


@given(st.text(max_size=80))
def test_any_text_at_all_is_a_scope_or_refused(text: str) -> None:
    try:
        assert Scope.parse(text).text in {"/", text.lower()}
    except InvalidScope:
        assert text != "/"


@pytest.mark.parametrize(
    ("scope", "place"),
    [
        (TENANT, "the tenant"),
        (SUBSCRIPTION, f"subscription {WEB.subscription}"),
        (GROUP, "resource group rg-web"),
        (SCALE_SET, "scale set workers"),
        (WEB.console, "VM web-01"),
        (INSTANCE.console, "VM 3"),
    ],
)
def test_a_level_is_called_what_a_person_calls_it(scope: str, place: str) -> None:
    assert level(scope).place == place


# the switch


def switches(*of: Switch) -> list[Level]:
    return [Level(scope, Policy(console=switch)) for scope, switch in zip(scopes_of(INSTANCE), of, strict=False)]


@pytest.mark.parametrize("by_default", [True, False])
@pytest.mark.parametrize("of", list(product(Switch, repeat=3)))
def test_off_anywhere_wins_and_on_opens_only_what_the_default_closes(
    of: Sequence[Switch],
    by_default: bool,  # noqa: FBT001 - a column of the table
) -> None:
    levels = switches(*of)
    found = switched_off(levels, by_default=by_default)
    if Switch.OFF in of:
        assert found is levels[of.index(Switch.OFF)]
    elif Switch.ON in of or not by_default:
        assert found is None
    else:
        assert found == Level(TENANT, Policy())


def test_without_any_policy_the_default_holds() -> None:
    assert switched_off((), by_default=False) is None
    assert switched_off((), by_default=True) == Level(TENANT, Policy())


# reasons


def test_no_policy_demands_no_reason() -> None:
    assert reasons_wanted((), None) is None
    assert reasons_wanted([level()], None) is None


@pytest.mark.parametrize("reason", [None, "", "  \t\n"])
@pytest.mark.parametrize("demanding", [level(reason=True), level(tickets=("INC-*",))])
def test_a_demanded_reason_says_something(demanding: Level, reason: str | None) -> None:
    assert reasons_wanted([level(), demanding], reason) == "A policy demands a reason."


@pytest.mark.parametrize(
    ("reason", "fits"),
    [
        ("INC-7", True),
        ("disk full, INC-7", True),
        ("INC-7, disk full", True),
        ("CHG42 planned", True),
        ("inc-7", False),
        ("disk full", False),
        ("CHG4 planned", False),
        ("CHG421 planned", False),
        ("xINC-7", False),
        ("IN C-7", False),
    ],
)
def test_one_word_of_the_reason_is_the_ticket(reason: str, fits: bool) -> None:  # noqa: FBT001 - a column of the table
    wanted = reasons_wanted([level(GROUP, tickets=("INC-*", "CHG??"))], reason)
    said = "The policy of resource group rg-web demands a ticket in the reason, like INC-* or CHG??."
    assert wanted == (None if fits else said)


def test_every_level_has_its_own_tickets() -> None:
    both = [level(tickets=("INC-*",)), level(SUBSCRIPTION, tickets=("CHG-*",))]
    assert reasons_wanted(both, "INC-1 CHG-1") is None
    assert "the tenant demands" in (reasons_wanted(both, "CHG-1") or "")
    assert "subscription" in (reasons_wanted(both, "INC-1") or "")


def test_any_reason_will_do_where_no_ticket_is_demanded() -> None:
    assert reasons_wanted([level(reason=True)], "because") is None


# networks


def networks(*of: str, scope: str = TENANT) -> Level:
    return level(scope, networks=tuple(ip_network(each) for each in of))


@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        ("10.1.2.3", True),
        ("11.1.2.3", False),
        ("192.0.2.7", True),
        ("192.0.2.8", False),
        ("2001:db8::1", True),
        ("2001:db9::1", False),
        ("::ffff:10.1.2.3", True),
        ("::ffff:11.1.2.3", False),
        ("::ffff:a01:203", True),
        ("::10.1.2.3", False),
        (None, False),
        ("", False),
        ("unknown", False),
        ("10.1.2.3:443", False),
        ("10.1.2", False),
        ("010.1.2.3", False),
        (" 10.1.2.3", False),
        ("10.1.2.3, 11.1.2.3", False),
    ],
)
def test_an_address_is_on_the_list_or_it_is_not(
    address: str | None,
    allowed: bool,  # noqa: FBT001 - a column of the table
) -> None:
    levels = [level(), networks("10.0.0.0/8", "192.0.2.7/32", "2001:db8::/32", scope=GROUP)]
    assert network_refusing(levels, address) is (None if allowed else levels[1])


def test_an_address_may_be_unknown_where_no_network_is_demanded() -> None:
    assert network_refusing([level()], None) is None
    assert network_refusing([], "10.0.0.1") is None


def test_a_lower_list_narrows_the_upper_and_never_widens_it() -> None:
    levels = [networks("10.0.0.0/8"), networks("0.0.0.0/0", "::/0", scope=GROUP)]
    assert network_refusing(levels, "10.0.0.1") is None
    assert network_refusing(levels, "11.0.0.1") is levels[0]
    assert network_refusing(levels[::-1], "11.0.0.1") is levels[0]


def test_all_of_ipv6_does_not_let_ipv4_in() -> None:
    assert network_refusing([networks("::/0")], "::ffff:10.0.0.1")
    assert network_refusing([networks("0.0.0.0/0")], "2001:db8::1")


# tags, regions, sign-in, approval


@pytest.mark.parametrize(
    ("demanded", "carried", "missing"),
    [
        ({}, {}, None),
        ({"console": ()}, {"console": ""}, None),
        ({"console": ()}, {"Console": "x"}, None),
        ({"Console": ("yes",)}, {"CONSOLE": "yes"}, None),
        ({"console": ("yes", "on")}, {"console": "on"}, None),
        ({"console": ()}, {}, "console"),
        ({"console": ()}, {"consoles": "yes"}, "console"),
        ({"console": ("yes", "on")}, {"console": "no"}, "console=yes or on"),
        ({"console": ("yes",)}, {"console": "Yes"}, "console=yes"),
        ({"a": (), "b": ("1",)}, {"a": "1"}, "b=1"),
        ({"a": (), "b": ()}, {}, "a"),
    ],
)
def test_a_tag_and_its_value_are_demanded(
    demanded: dict[str, tuple[str, ...]], carried: dict[str, str], missing: str | None
) -> None:
    assert tag_missing([level(), level(GROUP, tags=demanded)], carried) == missing


def test_tags_of_every_level_are_demanded() -> None:
    levels = [level(tags={"a": ()}), level(GROUP, tags={"A": ("1",)})]
    assert tag_missing(levels, {"a": "1"}) is None
    assert tag_missing(levels, {"a": "2"}) == "A=1"


@pytest.mark.parametrize(
    ("region", "refused"),
    [("westeurope", False), ("WestEurope", False), ("West Europe", False), ("northeurope", True), ("", True)],
)
def test_a_region_is_served_however_it_is_spelt(region: str, refused: bool) -> None:  # noqa: FBT001 - a column
    levels = [level(), level(GROUP, regions=("westeurope", "eastus"))]
    assert region_refusing(levels, region) is (levels[1] if refused else None)


def test_every_level_must_allow_the_region() -> None:
    levels = [level(regions=("westeurope",)), level(GROUP, regions=("eastus",))]
    assert region_refusing(levels, "westeurope") is levels[1]
    assert region_refusing(levels, "eastus") is levels[0]


@pytest.mark.parametrize(
    ("contexts", "wanted"), [((), "c1"), (("c1",), "c2"), (("c2",), "c1"), (("c1", "c2"), None), (("c3",), "c1")]
)
def test_a_sign_in_satisfies_every_levels_context(contexts: tuple[str, ...], wanted: str | None) -> None:
    levels = [level(sign_in={Right.WRITE: "c1"}), level(), level(GROUP, sign_in={Right.WRITE: "c2", Right.NMI: "c3"})]
    assert sign_in_wanted(levels, Right.WRITE, frozenset(contexts)) == wanted
    assert sign_in_wanted(levels, Right.WATCH, frozenset(contexts)) is None


def test_the_shortest_approval_holds() -> None:
    levels = [
        level(approval=frozenset({Right.WRITE}), approval_seconds=600),
        level(SUBSCRIPTION, approval=frozenset({Right.WRITE, Right.NMI}), approval_seconds=300),
        level(GROUP, approval_seconds=60),
    ]
    assert approval_seconds(levels, Right.WRITE) == 300
    assert approval_seconds(levels[:1], Right.WRITE) == 600
    assert approval_seconds(levels, Right.NMI) == 300
    assert approval_seconds(levels, Right.WATCH) is None
    assert approval_seconds([level(approval=frozenset({Right.NMI}))], Right.NMI) == 3600


def test_what_watching_demands_writing_demands() -> None:
    """Who writes sees all that a watcher sees."""
    watched = [
        Level(TENANT, Policy(sign_in={Right.WATCH: "c1"}, approval=frozenset({Right.WATCH}), approval_seconds=90))
    ]
    assert sign_in_wanted(watched, Right.WRITE, frozenset()) == "c1"
    assert approval_seconds(watched, Right.WRITE) == 90
    written = [Level(TENANT, Policy(sign_in={Right.WRITE: "c1"}, approval=frozenset({Right.WRITE})))]
    assert sign_in_wanted(written, Right.WATCH, frozenset()) is None
    assert approval_seconds(written, Right.WATCH) is None


def test_the_previews_regions_are_closed_only_where_they_are_named() -> None:
    assert closed_regions(()) == frozenset()
    assert closed_regions(("West Europe",)) == {"westeurope"}
    assert closed_regions(("Preview", "eastus")) == {"eastus", "uksouth", "ukwest", "uknorth", "uksouth2"}

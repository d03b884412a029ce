import json
import re
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.access.policy import Level, Policy, Scope, Switch, Typing
from shared.access.policy_codec import InvalidPolicy, check_scope, levels_from_text, policy_from_json, policy_to_json
from shared.access.rights import Right
from tests.unit.access.sight import GROUP, TENANT, WEB

TEXTS = st.lists(st.text(min_size=1, max_size=128).filter(str.strip), max_size=5).map(tuple)
DECIDED = (Right.WATCH, Right.WRITE, Right.POWER, Right.NMI)
POLICIES = st.builds(
    Policy,
    console=st.sampled_from(Switch),
    reason=st.booleans(),
    tickets=st.lists(st.from_regex(r"[^\s\[]{1,20}", fullmatch=True), max_size=5).map(tuple),
    networks=st.lists(st.ip_addresses(network="10.0.0.0/8") | st.ip_addresses(v=6), max_size=3).map(
        lambda found: policy_from_json({"networks": [str(each) for each in found]}).networks
    ),
    tags=st.dictionaries(st.text(max_size=20), TEXTS, max_size=3),
    regions=st.lists(st.sampled_from(["westeurope", "eastus", "uksouth"]), max_size=3).map(tuple),
    sign_in=st.dictionaries(st.sampled_from(Right), st.integers(1, 99).map("c{}".format), max_size=3),
    approval=st.frozensets(st.sampled_from(DECIDED)),
    approval_seconds=st.integers(60, 86400),
    typed=st.sampled_from(Typing),
    mask=st.lists(st.sampled_from([r"AKIA[0-9A-Z]{16}", r"(?<=pw: )\S+", "x"]), max_size=3).map(tuple),
    capture=st.booleans(),
)


@given(POLICIES)
def test_a_policy_is_read_as_it_was_written(policy: Policy) -> None:
    written = policy_to_json(policy)
    assert policy_from_json(json.loads(json.dumps(written))) == policy
    assert policy_to_json(policy_from_json(written)) == written


def test_nothing_said_demands_nothing() -> None:
    assert policy_from_json({}) == Policy()
    assert policy_from_json(policy_to_json(Policy())) == Policy()


def test_every_field_is_written_in_the_order_of_the_documentation() -> None:
    assert policy_to_json(Policy(approval=frozenset(DECIDED))) == {
        "console": "inherited",
        "reason": False,
        "tickets": [],
        "networks": [],
        "tags": {},
        "regions": [],
        "signIn": {},
        "approval": ["nmi", "power", "watch", "write"],
        "approvalSeconds": 3600,
        "typed": "inherited",
        "mask": [],
        "capture": False,
    }


def test_regions_are_kept_in_one_spelling() -> None:
    assert policy_from_json({"regions": ["West Europe", "EASTUS"]}).regions == ("westeurope", "eastus")


def test_a_single_address_is_a_network_of_its_own() -> None:
    said = {"networks": ["192.0.2.7", "2001:DB8::/32"]}
    assert policy_to_json(policy_from_json(said))["networks"] == ["192.0.2.7/32", "2001:db8::/32"]


@pytest.mark.parametrize("seconds", [60, 86400])
@pytest.mark.parametrize("context", ["c1", "c99"])
def test_limits_are_within(seconds: int, context: str) -> None:
    said = {"approvalSeconds": seconds, "signIn": {"nmi": context}, "tickets": ["x" * 128] * 64}
    said["tags"] = {str(number): [] for number in range(64)}
    assert policy_from_json(said).approval_seconds == seconds


LISTS = ["tickets", "networks", "regions", "approval"]
NETWORKS = ["x", "10.0.0.1/8", "10.0.0.0/33", "10.0.0", "2001:db8::1/32", " 10.0.0.0/8", "10.0.0.0/8 ", "*"]
CONTEXTS: list[Any] = [None, 1, True, "", "c0", "c01", "c100", "C1", "c1\n", " c1", "c\u0661", "1", []]
SECONDS: list[Any] = [None, True, "60", 59, 86401, -60, 60.0, 60.5, float("nan"), [], {}]


def wrong(name: str, values: Iterable[Any], said: str) -> list[tuple[str, Any, str]]:
    return [(name, value, said) for value in values]


WRONG = [
    *wrong("console", [None, True, 1, "ON", "", [], {}], "console must be one of on, off, inherited"),
    *wrong("reason", [None, 0, 1, "true", [], {}], "reason must be true or false"),
    *wrong(
        "tickets", [["INC *"], ["a\u2003b"], ["[IC]NC"]], "tickets takes patterns for one word, with * and ?: INC-*"
    ),
    *wrong("networks", [[each] for each in NETWORKS], "networks takes addresses and networks like"),
    *wrong("regions", [["\u0130" * 65], ["west-europe"], ["wes\u017f"], ["a/b"]], "regions takes names of regions"),
    *wrong("networks", [["fe80::%eth0"], ["fe80::1%" + "x" * 100]], "networks takes addresses and networks like"),
    *wrong("tags", [None, [], "x", True, {str(n): [] for n in range(65)}], "tags must be an object"),
    *wrong("tags", [{"team": "a"}], "tags.team must be a list of at most 64 texts"),
    *wrong("tags", [{"team": [1]}], "tags.team takes texts of 1 to 128 characters"),
    *wrong("tags", [{"x" * 99: 1}], f"tags.{'x' * 40} must be a list"),
    *wrong("signIn", [None, [], "c1", True], "signIn must be an object"),
    *wrong("signIn", [{"write": each} for each in CONTEXTS], "signIn takes the authentication contexts c1 to c99"),
    *wrong("signIn", [{"": "c1"}, {"own": "c1"}, {"WRITE": "c1"}], "a right of signIn must be one of watch, write"),
    *wrong("approval", [["own"]], "approval must be one of watch, write"),
    *wrong("approval", [["administer"], ["read"], ["approve"]], "approval takes watch, write, power, nmi"),
    *wrong("approvalSeconds", SECONDS, "approvalSeconds must be a whole number of seconds from 60 to 86400"),
]
for each in LISTS:
    WRONG += wrong(each, [None, True, 1, "INC-*", {}, ["10.0.0.1"] * 65], f"{each} must be a list of at most 64 texts")
    WRONG += wrong(
        each,
        [[None], [True], [1], [[]], [{}], [""], [" \t"], ["x" * 129]],
        f"{each} takes texts of 1 to 128 characters",
    )


@pytest.mark.parametrize(("name", "value", "said"), WRONG)
def test_what_cannot_be_read_is_named_with_what_it_takes(name: str, value: object, said: str) -> None:
    with pytest.raises(InvalidPolicy, match=f"^{re.escape(said)}"):
        policy_from_json({name: value})


@pytest.mark.parametrize("said", [None, True, 1, "on", [], [{}]])
def test_a_policy_is_an_object(said: object) -> None:
    with pytest.raises(InvalidPolicy, match="a policy is a JSON object"):
        policy_from_json(said)


@pytest.mark.parametrize("name", ["sign_in", "approval_seconds", "Console", "", "x" * 500])
def test_a_field_that_is_unknown_is_named(name: str) -> None:
    with pytest.raises(InvalidPolicy, match="a policy has no field") as refused:
        policy_from_json({"console": "on", name: 1})
    assert repr(name[:80]) in str(refused.value)
    assert len(str(refused.value)) < 250


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(list(policy_to_json(Policy()))), JSON, max_size=3))
def test_any_json_at_all_is_a_policy_or_refused(said: dict[str, Any]) -> None:
    try:
        assert policy_from_json(policy_to_json(policy_from_json(said))) == policy_from_json(said)
    except InvalidPolicy as refused:
        assert any(name in str(refused) for name in said)  # noqa: PT017 - most of what is drawn is refused


def test_the_setting_holds_policies_by_scope() -> None:
    said = {"/": {"reason": True}, WEB.resource_id: {"console": "off"}, GROUP.upper(): {}}
    assert levels_from_text(json.dumps(said)) == (
        Level(TENANT, Policy(reason=True)),
        Level(WEB.console, Policy(console=Switch.OFF)),
        Level(GROUP, Policy()),
    )


def test_a_setting_that_is_empty_sets_no_policy() -> None:
    assert levels_from_text("") == levels_from_text("{}") == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "not JSON"),
        ("[]", "write a JSON object: scopes and their policies"),
        ("null", "write a JSON object: scopes and their policies"),
        ('{"/x": {}}', "not a tenant, subscription, resource group, scale set or VM: '/x'"),
        ('{"/": []}', "a policy is a JSON object"),
        ('{"/": {"reason": 1}}', "reason must be true or false"),
    ],
)
def test_a_setting_that_cannot_be_read_says_what_about_it(text: str, said: str) -> None:
    with pytest.raises(InvalidPolicy, match=f"^{re.escape(said)}"):
        levels_from_text(text)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"typed": "all"}, "typed must be one of counted, echoed, masked, inherited"),
        ({"mask": "x"}, "mask must be a list of at most 32 patterns"),
        ({"mask": ["x"] * 33}, "mask must be a list of at most 32 patterns"),
        ({"mask": ["x", "("]}, "pattern 2 of mask is not taken: it cannot be read"),
        ({"capture": "on"}, "capture must be true or false"),
    ],
)
def test_what_the_record_is_to_keep_is_read_strictly(said: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidPolicy, match=re.escape(words)):
        policy_from_json(said)


def test_capture_is_for_one_vm_at_a_time() -> None:
    policy = policy_from_json({"capture": True})
    check_scope(Scope.of_vm(WEB), policy)
    with pytest.raises(InvalidPolicy, match="one VM at a time"):
        check_scope(Scope.parse(GROUP), policy)
    with pytest.raises(InvalidPolicy, match="one VM at a time"):
        levels_from_text('{"/": {"capture": true}}')


def test_capture_may_be_set_by_the_settings_too() -> None:
    (level,) = levels_from_text(json.dumps({WEB.resource_id: {"capture": True}}))
    assert level == Level(WEB.console, Policy(capture=True))

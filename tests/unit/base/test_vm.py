import string
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.base.vm import InvalidVmId, VmId

ENDS = string.ascii_letters + string.digits + "_"
NAMES = st.builds(
    lambda first, middle, last: first + middle + last,
    st.sampled_from(ENDS),
    st.text(ENDS + ".-()", max_size=40),
    st.sampled_from(["", *ENDS]),
).filter(lambda name: not name.endswith("."))
GROUPS = st.text(ENDS + ".-()", min_size=1, max_size=90).filter(lambda name: not name.endswith("."))
IDS = st.builds(VmId, st.uuids().map(str), GROUPS, NAMES, st.none() | NAMES)


@given(IDS)
def test_an_id_is_read_as_it_was_written(vm: VmId) -> None:
    assert VmId.parse(vm.resource_id) == vm


@given(IDS)
def test_letter_case_names_no_second_console(vm: VmId) -> None:
    assert VmId.parse(vm.resource_id.upper()).console == VmId.parse(vm.resource_id.lower()).console == vm.console


@given(IDS, IDS)
def test_two_consoles_never_share_a_name(one: VmId, other: VmId) -> None:
    same = [(vm.subscription, vm.group.lower(), vm.name.lower(), (vm.scale_set or "").lower()) for vm in (one, other)]
    assert (one.console == other.console) == (same[0] == same[1])


@pytest.mark.parametrize(
    "name", ["", ".", "..", "a/b", "a%2Fb", "a\\b", "a.", "a b", "a\n", "\u212a", "\u017f", "a@b", "x" * 91]
)
def test_what_is_not_a_name_is_not_an_id(name: str) -> None:
    with pytest.raises(InvalidVmId):
        VmId.parse(VmId("5b5c0000-0000-4000-8000-000000000001", "rg", name).resource_id)


@given(
    st.text(min_size=1, max_size=12) | st.text(ENDS + "%/.-()\\ \n\x00\u212a", min_size=1, max_size=100),
    st.sampled_from(["group", "name", "scale_set"]),
)
def test_whatever_is_read_is_of_azures_alphabet_to_the_letter(text: str, part: str) -> None:
    meant = replace(VmId("5b5c0000-0000-4000-8000-000000000001", "rg", "vm", "set"), **{part: text})
    try:
        read = VmId.parse(meant.resource_id)
    except InvalidVmId:
        return
    assert read == meant
    assert {*text} <= {*ENDS, *".-()"}
    assert not text.endswith(".")


@pytest.mark.parametrize("group", ["(dev)", "-a", ".a", "_", "9", "x" * 90])
def test_a_group_begins_with_whatever_azure_takes(group: str) -> None:
    meant = VmId("5b5c0000-0000-4000-8000-000000000001", group, "vm")
    assert VmId.parse(meant.resource_id) == meant


def test_an_instance_is_called_by_its_scale_set_too() -> None:
    assert VmId("s", "g", "3", "workers").title == "workers/3"
    assert VmId("s", "g", "web").title == "web"

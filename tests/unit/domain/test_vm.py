import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.vm import InvalidVmId, VmId

ENDS = string.ascii_letters + string.digits + "_"
NAMES = st.builds(
    lambda first, middle, last: first + middle + last,
    st.sampled_from(ENDS),
    st.text(ENDS + ".-()", max_size=40),
    st.sampled_from(["", *ENDS]),
).filter(lambda name: not name.endswith("."))
IDS = st.builds(VmId, st.uuids().map(str), NAMES, NAMES, st.none() | NAMES)


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


def test_an_instance_is_called_by_its_scale_set_too() -> None:
    assert VmId("s", "g", "3", "workers").title == "workers/3"
    assert VmId("s", "g", "web").title == "web"

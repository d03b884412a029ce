import json

import pytest

from shared.access.rights import DEFAULT, InvalidRights, Right, on_storage, on_vm, overridden, read_action
from shared.base.vm import VmId

VM = VmId("5b5c0000-0000-4000-8000-000000000001", "rg", "web")
INSTANCE = VmId(VM.subscription, "rg", "0", "workers")


@pytest.mark.parametrize("right", list(Right))
def test_to_read_the_vm_comes_first_for_every_right(right: Right) -> None:
    for vm in (VM, INSTANCE):
        assert on_vm(DEFAULT, right, vm)[0] == read_action(vm)
        assert len({*on_vm(DEFAULT, right, vm)}) == len(on_vm(DEFAULT, right, vm))


def test_an_instance_has_actions_of_its_own() -> None:
    for action in on_vm(DEFAULT, Right.WRITE, INSTANCE):
        assert action.startswith(("Microsoft.Compute/virtualMachineScaleSets/virtualMachines/", "Microsoft.Serial"))


def test_actions_on_storage_are_asked_there_alone() -> None:
    assert on_storage(DEFAULT, Right.WRITE) == ("Microsoft.Storage/storageAccounts/write",)
    assert on_storage(DEFAULT, Right.POWER) == ()
    assert not any(action.startswith("Microsoft.Storage") for action in on_vm(DEFAULT, Right.WRITE, VM))


def test_an_owner_replaces_rows_and_leaves_the_others() -> None:
    table = overridden(
        json.dumps({"write": ["microsoft.compute/VIRTUALMACHINES/start/action", "microsoft.storage/x/y"]})
    )
    assert on_vm(table, Right.WRITE, INSTANCE) == (
        "Microsoft.Compute/virtualMachineScaleSets/virtualMachines/read",
        "Microsoft.Compute/virtualMachineScaleSets/virtualMachines/start/action",
    )
    assert on_storage(table, Right.WRITE) == ("Microsoft.Storage/x/y",)
    assert {right: table[right] for right in Right if right is not Right.WRITE} == {
        right: DEFAULT[right] for right in Right if right is not Right.WRITE
    }
    assert overridden("") == DEFAULT


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "not JSON"),
        ("[]", "JSON object"),
        ('{"type": ["a/b"]}', "'type' is no right"),
        ('{"write": []}', "write needs a list"),
        ('{"write": "a/b"}', "write needs a list"),
        ('{"write": ["*/read"]}', "whole Azure actions"),
        ('{"write": ["read"]}', "whole Azure actions"),
        ('{"write": [1]}', "whole Azure actions"),
    ],
)
def test_an_override_that_would_open_more_than_it_says_is_refused(text: str, why: str) -> None:
    with pytest.raises(InvalidRights, match=why):
        overridden(text)

from dev.demo import VIRTUAL_MACHINES
from dev.machines.inventory import Boot, roster

BY_NAME = {spec.name: spec for spec in roster()}


def test_every_vm_of_the_fleet_has_a_machine_and_so_has_every_instance() -> None:
    assert set(BY_NAME) == {vm.name for vm in VIRTUAL_MACHINES} | {"workers_0", "workers_1"}


def test_eager_machines_boot_with_the_stack_deallocated_ones_on_request_the_others_on_connect() -> None:
    boots = {name: spec.boot for name, spec in BY_NAME.items()}
    assert boots["web-01"] is boots["db-01"] is Boot.WITH_THE_STACK
    assert boots["web-02"] is Boot.ON_REQUEST
    assert boots["web-03"] is boots["workers_0"] is Boot.ON_CONNECT


def test_only_the_vm_created_with_ssh_keys_has_no_passwords() -> None:
    assert [name for name, spec in BY_NAME.items() if spec.keys_only] == ["web-04"]

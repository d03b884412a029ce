"""What there is now. It starts as the fleet says and forgets everything at a restart."""

import uuid
from asyncio import Task
from dataclasses import dataclass, field

from dev.fleet import (
    ASSIGNMENTS,
    GROUPS,
    STORAGE_ACCOUNTS,
    SUBSCRIPTION,
    VIRTUAL_MACHINES,
    Assignment,
    VirtualMachine,
    group,
)

SCALE_SET, SCALE_SET_GROUP = "workers", "rg-web"
INSTANCES = ("0", "1")
SCALE_SET_ID = f"{group(SCALE_SET_GROUP)}/providers/Microsoft.Compute/virtualMachineScaleSets/{SCALE_SET}"


@dataclass
class Unit:
    """A VM or a scale set's instance, as it is now.

    `power` is what ARM believes; the machine itself, where there is one, has the last word (see power).
    """

    vm: VirtualMachine
    power: str
    instance: str | None = None
    latest_model: bool = True
    seen_running: bool = False
    port_enabled: bool = True

    @property
    def machine(self) -> str:
        """The name of its machine, and its key everywhere: the VM's name in lower case, or `<set>_<instance>`."""
        return self.vm.name.lower()

    @property
    def id(self) -> str:
        return self.vm.id if self.instance is None else f"{SCALE_SET_ID}/virtualMachines/{self.instance}"


@dataclass
class Operation:
    """Something under way: done when its work is and the caller has asked often enough."""

    work: Task[None]
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    polls: int = 0


@dataclass
class World:
    """`page_size` items fit a page; callers are told to ask again after `retry_seconds`."""

    units: dict[str, Unit] = field(default_factory=lambda: {unit.machine: unit for unit in _fleet()})
    assignments: tuple[Assignment, ...] = ASSIGNMENTS
    accounts: dict[str, str] = field(default_factory=lambda: dict(STORAGE_ACCOUNTS))
    groups: tuple[str, ...] = GROUPS
    console_disabled: bool = False
    operations: dict[str, Operation] = field(default_factory=dict)
    page_size: int = 100
    retry_seconds: int = 1

    def vms(self) -> list[Unit]:
        return [unit for unit in self.units.values() if unit.instance is None]

    def instances(self) -> list[Unit]:
        return [unit for unit in self.units.values() if unit.instance is not None]


def subscription_scope() -> str:
    return f"/subscriptions/{SUBSCRIPTION}"


def _fleet() -> list[Unit]:
    singles = [Unit(vm, vm.power) for vm in VIRTUAL_MACHINES]
    return singles + [_instance(number) for number in INSTANCES]


def _instance(number: str) -> Unit:
    """Make an instance of the demo scale set; all but the first still run the set's former model."""
    vm = VirtualMachine(f"{SCALE_SET}_{number}", SCALE_SET_GROUP, "an instance of a uniform scale set")
    return Unit(vm, vm.power, instance=number, latest_model=number == INSTANCES[0])

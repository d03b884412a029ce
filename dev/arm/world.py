"""What there is now. It starts as the fleet says and forgets everything at a restart."""

import uuid
from asyncio import Task
from collections import deque
from dataclasses import dataclass, field, fields
from typing import Any

from dev.arm.faults import Fault
from dev.arm.rights import allows, is_within, matches
from dev.arm.roles import ROLES, Role
from dev.arm.throttle import Throttle
from dev.demo import (
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


@dataclass(frozen=True)
class Lock:
    """`level` is ReadOnly or CanNotDelete."""

    name: str
    scope: str
    level: str = "ReadOnly"


@dataclass(frozen=True)
class Denial:
    """A deny assignment."""

    principals: tuple[str, ...]
    scope: str
    actions: tuple[str, ...]
    not_actions: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    only_this_scope: bool = False

    def reaches(self, scope: str) -> bool:
        same = scope.lower().rstrip("/") == self.scope.lower().rstrip("/")
        return same or (is_within(scope, self.scope) and not self.only_this_scope)


@dataclass(frozen=True)
class StorageAccount:
    """`hidden`: it exists, in a subscription of which nobody here sees anything."""

    group: str
    default_action: str = "Allow"
    public_access: str = "Enabled"
    hidden: bool = False
    subscription: str = SUBSCRIPTION
    shared_keys: bool | None = None
    """None where nobody has set it, which allows them."""
    hierarchical: bool = False
    ip_rules: tuple[str, ...] = ()


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
    roles: dict[str, Role] = field(default_factory=dict)
    """Custom ones, by id."""
    members: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Who is in which group, by its object id."""
    denials: tuple[Denial, ...] = ()
    locks: tuple[Lock, ...] = ()
    accounts: dict[str, StorageAccount] = field(
        default_factory=lambda: {name: StorageAccount(at) for name, at in STORAGE_ACCOUNTS.items()}
    )
    groups: tuple[str, ...] = GROUPS
    flexible: dict[str, tuple[str, ...]] = field(default_factory=lambda: {"pool": ("web-01",)})
    """Flexible scale sets of rg-web: their instances are VMs, which are also found under the set."""
    consoles_off: set[str] = field(default_factory=set)
    """Subscriptions in which Azure's own switch is off."""
    operations: dict[str, Operation] = field(default_factory=dict)
    asked: deque[str] = field(default_factory=lambda: deque(maxlen=1000))
    """The last requests, method and path, written down before they are answered."""
    correlations: set[str] = field(default_factory=set)
    """Ids of requests of others for which ARM was asked."""
    next_link: str | None = None
    """Where lists say that they go on, instead of where they do: what no ARM says."""
    busy: Any = None
    """What a power change is refused with (409): any JSON."""
    links: dict[str, str] = field(default_factory=dict)
    """Signatures that open a machine's boot log and screenshot."""
    faults: list[Fault] = field(default_factory=list)
    """What goes wrong with the next requests, in this order."""
    throttle: Throttle = field(default_factory=Throttle)
    page_size: int = 100
    retry_seconds: int = 1

    @property
    def known_roles(self) -> dict[str, Role]:
        return ROLES | self.roles

    @property
    def console_disabled(self) -> bool:
        """Azure's switch of the subscription in which the fleet is."""
        return SUBSCRIPTION in self.consoles_off

    @console_disabled.setter
    def console_disabled(self, disabled: bool) -> None:
        self.switch_console(SUBSCRIPTION, disabled=disabled)

    def switch_console(self, subscription: str, *, disabled: bool) -> None:
        (self.consoles_off.add if disabled else self.consoles_off.discard)(subscription.lower())

    def reset(self) -> None:
        """As the fleet says again. What is under way ends by itself; how the stand-in answers stays as it was set."""
        fresh = World(operations=self.operations, page_size=self.page_size, retry_seconds=self.retry_seconds)
        for one in fields(self):
            setattr(self, one.name, getattr(fresh, one.name))

    def may(self, oid: str, action: str, scope: str) -> bool:
        """By the rules of Azure RBAC: some role allows it, and nothing denies it."""
        return any(allows(role, action) for role, _ in self.roles_of(oid, scope)) and not self.denied(
            oid, action, scope
        )

    def roles_of(self, oid: str, scope: str) -> list[tuple[Role, Assignment]]:
        """The roles a principal has at a scope, those of its groups and those inherited included."""
        mine, known = self.principals(oid), self.known_roles
        found = [one for one in self.assignments if one.principal in mine and is_within(scope, one.scope)]
        return [(known[one.role], one) for one in found]

    def denied(self, oid: str, action: str, scope: str) -> bool:
        return any(
            matches(one.actions, action) and not matches(one.not_actions, action) and oid not in one.excluded
            for one in self.denials_of(oid, scope)
        )

    def denials_of(self, oid: str, scope: str) -> list[Denial]:
        mine = self.principals(oid)
        return [one for one in self.denials if mine & {*one.principals} and one.reaches(scope)]

    def principals(self, oid: str) -> set[str]:
        """The principal itself and the groups that it is in."""
        return {oid, *(one for one, members in self.members.items() if oid in members)}

    def read_only(self, scope: str) -> Lock | None:
        """The lock that keeps everything at a scope as it is."""
        return next((one for one in self.locks if one.level == "ReadOnly" and is_within(scope, one.scope)), None)

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

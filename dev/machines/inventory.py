"""Which machines there are, and how each one starts. Follows the fleet that ARM shows."""

from dataclasses import dataclass
from enum import Enum, auto

from dev.demo import VIRTUAL_MACHINES, Login, Power, VirtualMachine
from dev.gateway.behaviour import DEFAULT, Behaviour


class Boot(Enum):
    WITH_THE_STACK = auto()
    ON_CONNECT = auto()
    """At the first connection; later ones find it as it is."""
    ON_REQUEST = auto()


@dataclass(frozen=True)
class Spec:
    """One machine to have. `keys_only`: no user in the guest has a password."""

    name: str
    boot: Boot = Boot.ON_CONNECT
    keys_only: bool = False
    behaviour: Behaviour = DEFAULT
    """Of its port at the gateway, until a control call changes it."""


SCALE_SET_INSTANCES = ("workers_0", "workers_1")
"""Instances of the demo scale set, as `<set>_<instance id>`."""


def roster() -> tuple[Spec, ...]:
    singles = (Spec(vm.name, _boot(vm), keys_only=vm.login is Login.SSH_KEYS) for vm in VIRTUAL_MACHINES)
    return (*singles, *(Spec(name) for name in SCALE_SET_INSTANCES))


def _boot(vm: VirtualMachine) -> Boot:
    if vm.power is not Power.RUNNING:
        return Boot.ON_REQUEST
    return Boot.WITH_THE_STACK if vm.eager else Boot.ON_CONNECT

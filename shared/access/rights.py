"""The rights on a console, and the Azure actions that each demands. An owner may override this table.

Azure knows no action "write on a console". The actions listed here distinguish "Virtual Machine Contributor or above"
from lesser roles. Actions of Microsoft.Storage are checked on the VM's own boot-diagnostics account, if it has one,
all others on the VM. For an instance of a scale set they are the actions of its instances.
"""

import json
from collections.abc import Mapping, Sequence
from enum import StrEnum

from shared.base.vm import VmId


class Right(StrEnum):
    WATCH = "watch"
    WRITE = "write"
    POWER = "power"
    """Reset, restart, start, stop."""
    NMI = "nmi"
    """NMI and SysRq: both can crash the guest, on purpose."""
    ADMINISTER = "administer"
    """End others' sessions; set the VM's policy."""
    READ = "read"
    """Read what was printed."""
    APPROVE = "approve"
    """Decide about somebody else's request."""


type Table = Mapping[Right, tuple[str, ...]]

_VM = "Microsoft.Compute/virtualMachines/"
_INSTANCE = "Microsoft.Compute/virtualMachineScaleSets/virtualMachines/"
_STORAGE = "Microsoft.Storage/"
VM_READ = f"{_VM}read"
_BOOT_LOG = f"{_VM}retrieveBootDiagnosticsData/action"
_CONNECT = "Microsoft.SerialConsole/serialPorts/connect/action"
_CONTRIBUTOR = (VM_READ, f"{_VM}write", f"{_VM}restart/action", _BOOT_LOG, _CONNECT)
_KEYS = "Microsoft.Storage/storageAccounts/listKeys/action"

DEFAULT: Table = {
    Right.WATCH: (VM_READ, _BOOT_LOG, _CONNECT, _KEYS),
    Right.WRITE: (*_CONTRIBUTOR, "Microsoft.Storage/storageAccounts/write"),
    Right.POWER: (VM_READ, *(f"{_VM}{act}/action" for act in ("restart", "start", "powerOff", "deallocate")), _CONNECT),
    Right.NMI: (VM_READ, f"{_VM}write", f"{_VM}restart/action", f"{_VM}runCommand/action", _CONNECT),
    Right.ADMINISTER: (VM_READ, f"{_VM}write", "Microsoft.SerialConsole/serialPorts/write"),
    Right.READ: (VM_READ, _BOOT_LOG, _KEYS),
    Right.APPROVE: _CONTRIBUTOR,
}
SCOPE_ACTIONS = (
    "Microsoft.SerialConsole/consoleServices/enableConsole/action",
    "Microsoft.SerialConsole/consoleServices/disableConsole/action",
)
"""Actions that setting the policy of a subscription or a group demands there: those that switch Azure's console."""


class InvalidRights(ValueError):
    """An override that cannot be used. The text says why."""


def on_vm(table: Table, right: Right, vm: VmId) -> tuple[str, ...]:
    """Returns the actions to check on the VM itself. Reading always comes first: without it the VM does not exist."""
    actions = (a for a in table[right] if not a.startswith(_STORAGE) and a != VM_READ)
    return tuple(_of_instance(a) if vm.scale_set else a for a in (VM_READ, *actions))


def on_storage(table: Table, right: Right) -> tuple[str, ...]:
    """Returns the actions to check on the VM's own boot-diagnostics account."""
    return tuple(a for a in table[right] if a.startswith(_STORAGE))


def read_action(vm: VmId) -> str:
    """Returns the action of reading a VM. A caller who lacks it must not learn that the VM exists."""
    return _of_instance(VM_READ) if vm.scale_set else VM_READ


def _of_instance(action: str) -> str:
    return _INSTANCE + action.removeprefix(_VM) if action.startswith(_VM) else action


def overridden(text: str) -> Table:
    """Returns the table with the rights of an override: JSON, `{"watch": ["Microsoft.Compute/...", ...]}`.

    Empty text changes nothing. Raises InvalidRights.
    """
    try:
        document = json.loads(text) if text else {}
    except ValueError as error:
        raise InvalidRights("not JSON") from error
    if not isinstance(document, dict):
        raise InvalidRights("write a JSON object: a right's name and a list of Azure actions")
    return {**DEFAULT, **{_right(name): _actions(name, actions) for name, actions in document.items()}}


def _right(name: str) -> Right:
    if name not in Right:
        raise InvalidRights(f"{name[:40]!r} is no right; there are {', '.join(Right)}")
    return Right(name)


def _actions(name: str, actions: object) -> tuple[str, ...]:
    """Reads the actions of a right. An empty list would grant it to everybody, and a wildcard cannot be checked, so
    both raise InvalidRights.
    """
    if not isinstance(actions, list) or not actions:
        raise InvalidRights(f"{name} needs a list of Azure actions")
    if any(not isinstance(action, str) or "/" not in action or "*" in action for action in actions):
        raise InvalidRights(f"{name} takes whole Azure actions, like {VM_READ}")
    return _known(actions)


def _known(actions: Sequence[str]) -> tuple[str, ...]:
    """Returns the actions in the letter case that the code compares."""
    return tuple(_spelt(_spelt(action, _VM), _STORAGE) for action in actions)


def _spelt(action: str, prefix: str) -> str:
    return prefix + action[len(prefix) :] if action.lower().startswith(prefix.lower()) else action

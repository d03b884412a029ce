"""Restarts, starts and stops VMs through Azure Resource Manager, with the user's identity, or the service's own for an
application.

It does not wait for the end: a restart takes minutes, and the VM's state shows it.
"""

from typing import Any

from azure.core.exceptions import ClientAuthenticationError, HttpResponseError

from shared.access.azure.arm_clients import ArmAccess, asking_arm, signed_out
from shared.access.commands import Command
from shared.base.azure_troubles import REASONED
from shared.base.caller import Caller, CallerKind
from shared.base.ports import Trouble
from shared.base.refusals import Code, Refusal, refuse
from shared.base.vm import VmId

_BEGIN = {Command.RESTART: "begin_restart", Command.START: "begin_start", Command.STOP: "begin_deallocate"}
_CONFLICT, _FORBIDDEN = 409, 403
LEAST_SECONDS = 2.0
"""A command is not begun if the request has less time left. One that is cut off may have been done: it is reported as a
timeout, which tells people to look.
"""
_LONGEST = 300
"""Characters of ARM's message that are passed on, at most."""


class ArmCommands:
    def __init__(self, access: ArmAccess) -> None:
        self._access = access

    async def do(self, caller: Caller, vm: VmId, act: Command) -> Refusal | None:
        try:
            async with asking_arm(REASONED | {_CONFLICT}, least=LEAST_SECONDS, late=Trouble.SILENT):
                await _begin(self._access.of(caller).compute(vm.subscription), vm, act)
        except ClientAuthenticationError as error:
            return signed_out(error, caller)
        except HttpResponseError as error:
            return _refusal(error, caller, vm)
        return None


async def _begin(compute: Any, vm: VmId, act: Command) -> None:
    """Sends a command once, without retries: a command whose answer was lost may have been done."""
    once = {"polling": False, "retry_total": 0}
    if vm.scale_set:
        instances = compute.virtual_machine_scale_set_vms
        await getattr(instances, _BEGIN[act])(vm.group, vm.scale_set, vm.name, **once)
    else:
        await getattr(compute.virtual_machines, _BEGIN[act])(vm.group, vm.name, **once)


def _refusal(error: HttpResponseError, caller: Caller, vm: VmId) -> Refusal:
    if error.status_code == _CONFLICT:
        because = f"Azure refused it: {message}" if (message := _message_of(error)) else None
        return refuse(Code.POWER_ACT_REFUSED, because=because, target=vm.resource_id)
    if error.status_code == _FORBIDDEN:
        if caller.kind is CallerKind.APPLICATION:
            explanation = (
                "For applications the service acts itself, and it may not do this to the VM: an administrator must "
            )
            because = f"{explanation}give it the role Virtual Machine Contributor there."
            return refuse(Code.SERVICE_NOT_PERMITTED, because=because, target=vm.resource_id)
        return refuse(Code.POWER_PERMISSION_DENIED, target=vm.resource_id, caller=caller.oid)
    return refuse(Code.VM_NOT_FOUND, target=vm.resource_id)


def _message_of(error: HttpResponseError) -> str:
    """Returns ARM's message on one line, with printable characters only."""
    text = " ".join(str(error.error.message or "").split()) if error.error else ""
    return "".join(letter for letter in text if letter.isprintable())[:_LONGEST]

"""Runs reset, restart, start, stop, NMI and SysRq. Each is checked like a console, and recorded in the transcript."""

import logging

from shared.access.commands import Command
from shared.access.flows.check_rate_limit import admit_within_rate
from shared.access.flows.examine_vm import ACT, RequiredRight
from shared.base.caller import Caller
from shared.base.refusals import Refusal
from shared.base.vm import VmId
from shared.session.dependencies import Dependencies

_log = logging.getLogger(__name__)


async def run_command(
    dependencies: Dependencies, caller: Caller, vm: VmId, act: Command, *, keys: str = "", reason: str | None
) -> Refusal | None:
    """Begins a command, and returns None if it has begun. `keys`: SysRq's letters and digits. Raises Unavailable."""
    examined = await admit_within_rate(dependencies, caller, vm, RequiredRight(act.right, ACT, reason))
    if isinstance(examined, Refusal):
        return examined
    if act.down_the_line:
        return await dependencies.relays.command(vm, act, keys, caller.name)
    return await _through_azure(dependencies, caller, vm, act)


async def _through_azure(dependencies: Dependencies, caller: Caller, vm: VmId, act: Command) -> Refusal | None:
    """Records the command, then runs it: the serial port may close a moment later. Raises Unavailable."""
    if not await dependencies.relays.note(vm, act, caller.name):
        _log.warning("the relay did not hear of %s; Azure's activity log has it", act)
    return await dependencies.power.do(caller, vm, act)

"""A VM's power state, and what changes it. The machine has the last word where there is one.

Machines that do not boot with the stack boot at the first connection. Until then the gateway calls them stopped,
while to ARM they run: a stopped machine counts as a stopped VM only after it has been seen running.
"""

import asyncio
from collections.abc import Mapping

from dev.arm.machines import MachineRefusedError, Machines
from dev.arm.world import Operation, Unit, World

ACTIONS: Mapping[str, tuple[str, str, str]] = {
    "start": ("start", "starting", "running"),
    "restart": ("reset", "running", "running"),
    "powerOff": ("stop", "stopping", "stopped"),
    "deallocate": ("stop", "deallocating", "deallocated"),
}
"""ARM's action: the machine's verb, the state on the way, the state after it."""


def state_of(unit: Unit, machines: Mapping[str, str]) -> str:
    """Return the power state (`running`, `stopped`, `deallocated`, ... as after `PowerState/`)."""
    match machines.get(unit.machine), unit.power:
        case "running", ("running" | "stopped" | "deallocated"):
            unit.seen_running, unit.power = True, "running"
        case "starting", ("stopped" | "deallocated"):
            return "starting"
        case "stopped", "running" if unit.seen_running:
            # Shut down from inside: the VM is stopped and still allocated.
            unit.power = "stopped"
    return unit.power


def begin(world: World, machines: Machines, unit: Unit, action: str) -> Operation:
    """Start changing a VM's power; the answer is asked for with the operation's id."""
    verb, meanwhile, after = ACTIONS[action]
    before, unit.power = unit.power, meanwhile
    work = asyncio.create_task(_change(machines, unit, verb, before, after))
    operation = Operation(work)
    world.operations[operation.id] = operation
    return operation


async def _change(machines: Machines, unit: Unit, verb: str, before: str, after: str) -> None:
    try:
        if verb == "reset" and (await machines.states()).get(unit.machine) == "stopped":
            # A restart of a machine nobody has connected to yet.
            verb = "start"
        await machines.act(unit.machine, verb)
    except MachineRefusedError:
        unit.power = before
        raise
    unit.power = after
    unit.seen_running = after == "running" and unit.machine in await machines.states()

"""Switches consoles as Azure's own API does: on or off for a subscription, enabled or disabled for one port."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

from shared.access import policy
from shared.access.flows.examine_vm import ENTRANCE, RequiredRight, admit_to_vm
from shared.access.policy import Level, Policy, Scope, Switch
from shared.access.rights import Right
from shared.base.caller import Caller
from shared.base.refusals import Code, Refusal, refuse
from shared.base.vm import VmId
from shared.session.dependencies import Dependencies
from shared.session.flows.change_policy import ShownPolicy, set_policy
from shared.session.flows.lease import live_holder

STATUS_ACTION = "Microsoft.SerialConsole/consoleServices/read"


@dataclass(frozen=True, slots=True)
class SwitchedPort:
    """COM1 of a VM: `enabled` by our switch, `active` if it has a writer."""

    enabled: bool
    active: bool


async def show_switch(dependencies: Dependencies, caller: Caller, scope: Scope) -> bool | Refusal:
    """Returns True if the console is on for a subscription. Raises Unavailable."""
    missing = await dependencies.rights.missing(caller, scope.text, [STATUS_ACTION])
    if isinstance(missing, Refusal):
        return missing
    if missing:
        return refuse(Code.ADMINISTRATION_DENIED, target=scope.text, caller=caller.oid)
    levels = await dependencies.policies.over(scope.some_vm)
    return _on(dependencies, [level for level in levels if level.scope in (*scope.above, scope.text)])


async def turn_switch(dependencies: Dependencies, caller: Caller, scope: Scope, *, on: bool) -> ShownPolicy | Refusal:
    """Sets the switch of one scope, and leaves its other demands as they are. Raises Unavailable."""
    stored = await dependencies.policies.find(scope)
    before = stored.policy if stored else Policy()
    changed = replace(before, console=Switch.ON if on else Switch.OFF)
    return await set_policy(dependencies, caller, scope, changed, stored.version if stored else "")


async def show_port(dependencies: Dependencies, caller: Caller, vm: VmId) -> SwitchedPort | Refusal:
    """Raises Unavailable."""
    examined, lock = await asyncio.gather(
        admit_to_vm(dependencies, caller, vm, RequiredRight(Right.WATCH, ENTRANCE)), dependencies.consoles.show(vm)
    )
    if isinstance(examined, Refusal):
        return examined
    return SwitchedPort(_on(dependencies, examined.levels), await live_holder(dependencies, lock) is not None)


def _on(dependencies: Dependencies, levels: Sequence[Level]) -> bool:
    return policy.switched_off(levels, by_default=not dependencies.settings.console_default) is None

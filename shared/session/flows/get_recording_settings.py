"""Returns what a relay must record: the settings of each console, and the consoles that are always recorded."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from shared.access.checks import switch_refusal
from shared.access.flows.examine_vm import service
from shared.access.policy import Level
from shared.access.recording_settings import BY_RULE, RecordingSettings, recording_settings
from shared.base.vm import VmId
from shared.session.dependencies import Dependencies


@dataclass(frozen=True, slots=True)
class RelayRecording:
    keep: Mapping[VmId, RecordingSettings]
    """Recording settings that differ from the default."""
    capture: Sequence[VmId]
    """VMs that this relay records also without a viewer."""


async def get_recording_settings(dependencies: Dependencies, relay: str, attended: Sequence[VmId]) -> RelayRecording:
    """Returns the settings for the consoles of one relay. `attended`: the VMs that have a viewer.

    Raises Unavailable if any part is not known: an incomplete answer must not pass for a complete one.
    """
    captured = [vm for vm in await dependencies.policies.captured() if dependencies.relays.of(vm).name == relay]
    levels = {vm: await dependencies.policies.over(vm) for vm in dict.fromkeys([*attended, *captured])}
    changed = {vm: settings for vm, over in levels.items() if (settings := recording_settings(over)) != BY_RULE}
    return RelayRecording(changed, [vm for vm in captured if _is_open(dependencies, vm, levels[vm])])


def _is_open(dependencies: Dependencies, vm: VmId, levels: Sequence[Level]) -> bool:
    return switch_refusal(vm, levels, service(dependencies)) is None

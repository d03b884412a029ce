"""What relays must know beside their sessions: what the record keeps of each console, and which are always recorded."""

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
    """Where it is not what it is by rule."""
    capture: Sequence[VmId]
    """To be recorded whether anybody is there or not, by this relay."""


async def get_recording_settings(dependencies: Dependencies, relay: str, attended: Sequence[VmId]) -> RelayRecording:
    """For the consoles of one relay; `attended` are those at which somebody is. Raises Unavailable: no part of the
    answer may then be taken for all of it.
    """
    captured = [vm for vm in await dependencies.policies.captured() if dependencies.relays.of(vm).name == relay]
    levels = {vm: await dependencies.policies.over(vm) for vm in dict.fromkeys([*attended, *captured])}
    changed = {vm: settings for vm, over in levels.items() if (settings := recording_settings(over)) != BY_RULE}
    return RelayRecording(changed, [vm for vm in captured if _is_open(dependencies, vm, levels[vm])])


def _is_open(dependencies: Dependencies, vm: VmId, levels: Sequence[Level]) -> bool:
    return switch_refusal(vm, levels, service(dependencies)) is None

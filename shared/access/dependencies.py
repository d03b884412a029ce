"""The ports that the flows of access need, in one value. Tests pass fakes here."""

from dataclasses import dataclass

from shared.access.ports import (
    Approvals,
    BootLogs,
    Callers,
    ConstraintsOfVms,
    Policies,
    PowerCommands,
    RateLimits,
    Rights,
    Vms,
)
from shared.access.settings import AccessSettings
from shared.base.ports import Clock, Ids


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessDependencies:
    """Ports and settings of the flows of access."""

    settings: AccessSettings
    callers: Callers
    vms: Vms
    rights: Rights
    around: ConstraintsOfVms
    policies: Policies
    paces: RateLimits
    approvals: Approvals
    power: PowerCommands
    boot_logs: BootLogs
    clock: Clock
    ids: Ids

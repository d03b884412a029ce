"""The ports that the flows of access need, in one value: here the service and a test differ."""

from dataclasses import dataclass

from shared.access.settings import AccessSettings
from shared.ports import (
    Approvals,
    AroundVms,
    BootLogs,
    Callers,
    Clock,
    Ids,
    Paces,
    Policies,
    PowerActs,
    Rights,
    Vms,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessDependencies:
    """What the flows of access need."""

    settings: AccessSettings
    callers: Callers
    vms: Vms
    rights: Rights
    around: AroundVms
    policies: Policies
    paces: Paces
    approvals: Approvals
    power: PowerActs
    boot_logs: BootLogs
    clock: Clock
    ids: Ids

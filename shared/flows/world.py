"""Everything the control plane's flows need of the world, in one value: here the real one and a test's differ."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from shared.ports import (
    Approvals,
    AroundVms,
    BootLogs,
    BurntTokens,
    Callers,
    Clock,
    Consoles,
    Ids,
    Leases,
    Notices,
    Paces,
    Policies,
    PowerActs,
    Relays,
    Rights,
    Sessions,
    Tokens,
    Vms,
)
from shared.settings import FunctionSettings

type Probe = Callable[[], Awaitable[None]]
"""Asks a dependency for a sign of life. Raises Unavailable, or whatever its client raises."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """Azure as it answers for many live sessions at once: answers are some seconds old, and as strict."""

    vms: Vms
    rights: Rights
    around: AroundVms


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    settings: FunctionSettings
    callers: Callers
    vms: Vms
    rights: Rights
    around: AroundVms
    shared: Shared
    policies: Policies
    paces: Paces
    approvals: Approvals
    power: PowerActs
    boot_logs: BootLogs
    consoles: Consoles
    tokens: Tokens
    sessions: Sessions
    burnt: BurntTokens
    relays: Relays
    leases: Leases
    notices: Notices
    clock: Clock
    ids: Ids
    probes: Mapping[str, Probe] = field(default_factory=dict)
    """One per dependency, by the name that the health report gives it."""
    rechecked: dict[str, float] = field(default_factory=dict)
    """When Azure is to be asked about a live session again; seconds since 1970, by session id. Relays are told and say
    it back, so that nothing hangs on this process."""

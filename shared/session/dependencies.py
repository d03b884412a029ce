"""The ports that the flows of sessions need, beside those of access."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from shared.access.dependencies import AccessDependencies
from shared.access.ports import ConstraintsOfVms, Rights, Vms
from shared.session.ports import Consoles, Leases, Notices, Relays, Sessions, Tokens, UsedTokens
from shared.session.settings import SessionSettings

type Probe = Callable[[], Awaitable[None]]
"""Asks a dependency for a sign of life. Raises Unavailable, or whatever its client raises."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveAzure:
    """Azure as it answers for many live sessions at once: answers are some seconds old, and as strict."""

    vms: Vms
    rights: Rights
    around: ConstraintsOfVms


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependencies(AccessDependencies):
    """What every flow of the control plane needs."""

    settings: SessionSettings
    live_azure: LiveAzure
    consoles: Consoles
    tokens: Tokens
    sessions: Sessions
    used_tokens: UsedTokens
    relays: Relays
    leases: Leases
    notices: Notices
    probes: Mapping[str, Probe] = field(default_factory=dict)
    """One per dependency, by the name that the health report gives it."""
    rechecked: dict[str, float] = field(default_factory=dict)
    """When Azure is to be asked about a live session again; seconds since 1970, by session id. Relays are told and say
    it back, so that nothing depends on this process."""

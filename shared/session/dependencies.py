"""The ports that the flows of sessions need, beside those of access."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from shared.access.dependencies import AccessDependencies
from shared.access.ports import ConstraintsOfVms, Rights, Vms
from shared.session.ports import Consoles, Leases, Notices, Relays, Sessions, Tokens, UsedTokens
from shared.session.settings import SessionSettings

type Probe = Callable[[], Awaitable[None]]
"""Makes a small call to a dependency. Raises Unavailable, or whatever its client raises."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveAzure:
    """The ports of Azure for rechecks of live sessions. Answers may be some seconds old; the rules are the same."""

    vms: Vms
    rights: Rights
    around: ConstraintsOfVms


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependencies(AccessDependencies):
    """Everything that the flows of the control plane need."""

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
    """Time of the next recheck of each live session; seconds since 1970, by session id. Relays get these times and send
    them back with each heartbeat, so that another process can go on."""

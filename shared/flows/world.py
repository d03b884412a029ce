"""Everything the control plane's flows need of the world, in one value: here the real one and a test's differ."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from shared.domain.caller import Caller
from shared.domain.refusals import Refusal
from shared.domain.vm import Vm, VmId
from shared.ports import (
    BurntTokens,
    Callers,
    Clock,
    Consoles,
    Ids,
    Relays,
    Rights,
    Sessions,
    Tokens,
)
from shared.settings import FunctionSettings

type Probe = Callable[[], Awaitable[None]]
"""Asks a dependency for a sign of life. Raises Unavailable, or whatever its client raises."""


class ReadableVms(Protocol):
    """As ports.Vms; a list, too, may be refused until sign-in is stronger."""

    async def find(self, caller: Caller, vm: VmId) -> Vm | Refusal: ...

    async def visible(self, caller: Caller) -> Sequence[Vm] | Refusal: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    settings: FunctionSettings
    callers: Callers
    vms: ReadableVms
    rights: Rights
    consoles: Consoles
    tokens: Tokens
    sessions: Sessions
    burnt: BurntTokens
    relays: Relays
    clock: Clock
    ids: Ids
    probes: Mapping[str, Probe] = field(default_factory=dict)
    """One per dependency, by the name that the health report gives it."""
    rechecked: dict[str, float] = field(default_factory=dict)
    """When the rights behind a live session were last asked; seconds since 1970, by session id."""

"""Who calls, and what Azure says and does: VMs, rights, locks, power, boot logs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from shared.domain.acts import Act
from shared.domain.caller import Caller
from shared.domain.checks import Surroundings
from shared.domain.refusals import Refusal
from shared.domain.storage import Account, NoAccount
from shared.domain.vm import Vm, VmId
from shared.ports.outside import Unavailable


class Callers(Protocol):
    async def identify(self, authorization: str | None) -> Caller | Refusal:
        """Who sent this Authorization header."""
        ...


@dataclass(frozen=True, slots=True)
class Visible:
    """The VMs that a caller may read."""

    vms: Sequence[Vm]
    unasked: Mapping[str, Unavailable] = field(default_factory=dict)
    """Subscriptions that could not be asked, and why. Of these no VM is here, of every other all are."""


class Vms(Protocol):
    async def find(self, caller: Caller, vm: VmId) -> Vm | Refusal:
        """The VM as the caller may see it: VM_NOT_FOUND when there is none or they may not read it."""
        ...

    async def visible(self, caller: Caller) -> Visible | Refusal:
        """Every VM that the caller may read, in the subscriptions served; a Refusal when sign-in must be stronger.
        One in which they may read nothing, or that is not there, has none; one that cannot be asked is named.
        """
        ...


class Rights(Protocol):
    async def missing(
        self, caller: Caller, resource_id: str, actions: Sequence[str], *, fresh: bool = False
    ) -> Sequence[str] | Refusal:
        """Those of the Azure actions that the caller may not do on a resource (a VM, a storage account, a group, a
        subscription); a Refusal when sign-in must be stronger. An answer of the last seconds will do unless `fresh`.
        """
        ...


class AroundVms(Protocol):
    """What Azure says about a console whoever asks, read with the service's own identity."""

    async def of(self, vm: VmId, *, fresh: bool = False) -> Surroundings:
        """Locks and Azure's own switches. Raises Unavailable."""
        ...

    async def account(self, name: str, near: VmId, *, fresh: bool = False) -> Account | NoAccount:
        """The storage account of this name: in the VM's subscription, or another one that is served."""
        ...

    async def remains(self, vm: VmId) -> str | None:
        """Of a VM that is gone, the resource id of its group, or of its subscription where the group is gone too. None
        while the VM is there, and where the service may not look. Raises Unavailable.
        """
        ...


class PowerActs(Protocol):
    async def do(self, caller: Caller, vm: VmId, act: Act) -> Refusal | None:
        """Begins to restart, start or stop the VM: as the user themselves, or for an application as the service."""
        ...


@dataclass(frozen=True, slots=True)
class BootLog:
    """The end of what Azure keeps of a VM's serial port."""

    content: bytes
    start: int
    """Bytes of Azure's log before it."""


@dataclass(frozen=True, slots=True)
class Picture:
    content: bytes
    media: str


class BootLogs(Protocol):
    """What boot diagnostics keeps, fetched as the caller. Raise Unavailable; no address of Azure's gets out: it is a
    key to what it leads to.
    """

    async def log(self, caller: Caller, vm: VmId, most: int) -> BootLog | Refusal:
        """At most so many bytes, the last ones."""
        ...

    async def screenshot(self, caller: Caller, vm: VmId) -> Picture | Refusal: ...

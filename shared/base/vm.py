"""The id of a virtual machine, and its properties."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Self

_NAME = r"[A-Za-z0-9_](?:[A-Za-z0-9_.\-()]{0,88}[A-Za-z0-9_\-()])?"
"""Of a VM or a scale set: Azure takes no slash, percent, space or control character, and no full stop at the end
(MicrosoftDocs/azure-docs, resource-name-rules.md, Microsoft.Compute)."""
_GROUP = r"[A-Za-z0-9_.\-()]{0,89}[A-Za-z0-9_\-()]"
"""Of a resource group (the same page, Microsoft.Resources), which may begin with any of its characters. Azure takes the
letters of other alphabets too; they are refused here, where letter case must not make two keys of one group."""
_ID = re.compile(
    r"/subscriptions/(?P<subscription>[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})"
    rf"/resourceGroups/(?P<group>{_GROUP})/providers/Microsoft\.Compute"
    rf"/(?:virtualMachineScaleSets/(?P<scale_set>{_NAME})/)?virtualMachines/(?P<name>{_NAME})",
    re.IGNORECASE | re.ASCII,  # without ASCII, the Kelvin sign would pass for a K and two spellings name one console
)


class InvalidVmId(ValueError):
    """The text is not the Azure resource id of a VM or of a scale-set instance."""


@dataclass(frozen=True, slots=True)
class VmId:
    """The Azure resource id of a VM, or of one instance of a scale set (then `name` is the instance id)."""

    subscription: str
    group: str
    name: str
    scale_set: str | None = None

    @classmethod
    def parse(cls, resource_id: str) -> Self:
        """Parses a resource id. The letter case of the fixed parts is free, as in ARM. Raises InvalidVmId."""
        if not (match := _ID.fullmatch(resource_id)):
            raise InvalidVmId(
                "expected /subscriptions/{id}/resourceGroups/{group}/providers/Microsoft.Compute/"
                "[virtualMachineScaleSets/{set}/]virtualMachines/{name}"
            )
        return cls(**match.groupdict())

    @property
    def resource_id(self) -> str:
        return (
            f"{self.group_id}/providers/Microsoft.Compute"
            f"/{f'virtualMachineScaleSets/{self.scale_set}/' if self.scale_set else ''}virtualMachines/{self.name}"
        )

    @property
    def group_id(self) -> str:
        return f"{self.subscription_id}/resourceGroups/{self.group}"

    @property
    def subscription_id(self) -> str:
        return f"/subscriptions/{self.subscription}"

    @property
    def console(self) -> str:
        """The one spelling that names this VM's console everywhere: ARM ignores letter case, keys do not."""
        return self.resource_id.lower()

    @property
    def title(self) -> str:
        """A short name for people."""
        return f"{self.scale_set}/{self.name}" if self.scale_set else self.name


class Power(StrEnum):
    """`PowerState/...` of the instance view."""

    RUNNING = "running"
    STARTING = "starting"
    STOPPING = "stopping"
    STOPPED = "stopped"
    DEALLOCATING = "deallocating"
    DEALLOCATED = "deallocated"
    UNKNOWN = "unknown"


class Os(StrEnum):
    LINUX = "Linux"
    WINDOWS = "Windows"


@dataclass(frozen=True, slots=True)
class Vm:
    """A VM as ARM describes it at one moment."""

    id: VmId
    location: str
    os: Os
    power: Power
    provisioning: str
    boot_diagnostics: bool
    storage_uri: str | None = None
    """Custom boot-diagnostics account; None when the platform manages it."""
    password_login: bool = True
    """False when the VM was created with SSH keys only."""
    tags: Mapping[str, str] = field(default_factory=dict)
    publisher: str = ""
    """Publisher of the image that it was made from; empty for a custom disk."""
    latest_model: bool = True
    """False for a scale-set instance that still runs a former model of its set."""

"""The storage account in which a VM's boot diagnostics are kept, where it is not Azure's own.

The URI comes from whoever may write the VM, so it is never called: it only names an account, and Azure is asked.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

_NAME = "[a-z0-9]{3,24}"
"""What Azure accepts as the name of a storage account."""


@dataclass(frozen=True, slots=True)
class DiagnosticsAccount:
    """A storage account as Azure describes it."""

    resource_id: str
    name: str
    firewalled: bool
    """Its network rules deny everything: they name no address that may pass."""
    keyless: bool = False
    """Nobody may access it by its keys."""
    hierarchical: bool = False
    """It has a hierarchical namespace (Azure Data Lake Storage Gen2)."""


class NoDiagnosticsAccount(StrEnum):
    """Why there is none to be asked."""

    MALFORMED = "malformed"
    """The URI is not that of a blob service."""
    DELETED = "deleted"
    """No account of that name exists anywhere."""
    UNSEEN = "unseen"
    """It exists, in a subscription that the service may not read."""


def account_of(uri: str, suffix: str) -> str | None:
    """The account's name, of `https://{name}.blob.{suffix}/`, with or without a zone label before the suffix's own
    (`{name}.z12.blob...`). None for everything else. `suffix` is the cloud's, like core.windows.net.

    The text is held to this form as it stands: URL parsers drop tabs and line ends, and differ about the rest.
    """
    host = rf"(?P<name>{_NAME})(?:\.z[0-9]{{1,3}})?\.blob\.{re.escape(suffix)}"
    match = re.fullmatch(rf"https://{host}(?::443)?/?", uri, re.IGNORECASE | re.ASCII)
    return match["name"].lower() if match else None

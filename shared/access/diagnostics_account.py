"""The storage account that stores a VM's boot diagnostics, if it is not Azure's own.

Everybody who may write the VM can set the URI, so it is never called. It only names an account, which ARM looks up.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

_NAME = "[a-z0-9]{3,24}"
"""Names of storage accounts that Azure accepts."""


@dataclass(frozen=True, slots=True)
class DiagnosticsAccount:
    """A storage account as Azure describes it."""

    resource_id: str
    name: str
    firewalled: bool
    """Its network rules deny every address."""
    keyless: bool = False
    """Nobody may access it by its keys."""
    hierarchical: bool = False
    """It has a hierarchical namespace (Azure Data Lake Storage Gen2)."""


class NoDiagnosticsAccount(StrEnum):
    """The reason why no account can be looked up."""

    MALFORMED = "malformed"
    """The URI is not that of a blob service."""
    DELETED = "deleted"
    """No account of that name exists anywhere."""
    UNSEEN = "unseen"
    """It exists, in a subscription that the service may not read."""


def account_of(uri: str, suffix: str) -> str | None:
    """Returns the name of the account of a URI `https://{name}.blob.{suffix}/`, also with a zone label in front of
    `blob` (`{name}.z12.blob...`); None for every other text. `suffix` is the cloud's, like core.windows.net.

    The raw text must have this form. URL parsers drop tabs and line ends, and disagree about other characters.
    """
    host = rf"(?P<name>{_NAME})(?:\.z[0-9]{{1,3}})?\.blob\.{re.escape(suffix)}"
    match = re.fullmatch(rf"https://{host}(?::443)?/?", uri, re.IGNORECASE | re.ASCII)
    return match["name"].lower() if match else None

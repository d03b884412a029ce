"""The storage account in which a VM's boot diagnostics are kept, where it is not Azure's own.

The URI comes from whoever may write the VM, so it is never called: it only names an account, and Azure is asked.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

_NAME = re.compile(r"[a-z0-9]{3,24}", re.ASCII)
"""What Azure accepts as the name of a storage account."""


@dataclass(frozen=True, slots=True)
class Account:
    """A storage account as Azure describes it."""

    resource_id: str
    name: str
    firewalled: bool
    """Its network rules deny whatever they do not name."""


class NoAccount(StrEnum):
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
    """
    try:
        parts = urlsplit(uri)
        plain = parts.scheme == "https" and parts.port in (None, 443) and "@" not in parts.netloc
    except ValueError:
        return None
    if not plain or parts.path not in ("", "/") or parts.query or parts.fragment or not parts.hostname:
        return None
    found = re.fullmatch(rf"([^.]+)(?:\.z\d{{1,3}})?\.blob\.{re.escape(suffix)}", parts.hostname, re.ASCII)
    return found[1] if found and _NAME.fullmatch(found[1]) else None

"""The clients of Azure's own serial console that are served."""

from enum import StrEnum


class Compatibility(StrEnum):
    OFF = "off"
    CURRENT = "current"
    """Clients that send their token in the first frame."""
    OLDER = "older"
    """Also clients that send it in the URL, where proxies may log it."""

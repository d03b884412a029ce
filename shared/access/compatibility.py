"""Which clients of Azure's own serial console are served."""

from enum import StrEnum


class Compatibility(StrEnum):
    OFF = "off"
    CURRENT = "current"
    """Those that say their token in the first frame."""
    OLDER = "older"
    """Also those that carry it in the address, where whatever stands on the way may write it down."""

"""The dependencies and the ways in which they fail, the clock, and random ids."""

from enum import StrEnum
from typing import Protocol


class Trouble(StrEnum):
    """The ways in which a dependency fails, as far as they change what the caller can do."""

    AWAY = "away"
    """It cannot be reached, breaks off, answers an error, or nonsense."""
    THROTTLED = "throttled"
    """It answers that it gets too many requests."""
    SILENT = "silent"
    """It took the request and did not answer in the time that one answer may take."""
    FORBIDDEN = "forbidden"
    """It answers that the service's own identity lacks permission."""
    SLOW = "slow"
    """It answers, but not completely before the time of the request was over."""
    LATE = "late"
    """It was not called: earlier calls had used up the time of the request."""


class Dependency(StrEnum):
    """Everything outside this process that may not answer. The values appear in logs and in the health report."""

    ARM = "arm"
    BOOT_DIAGNOSTICS = "boot diagnostics"
    """The boot log of a VM: ARM names its address, in a storage account of Azure's or of the VM's owner."""
    CONSOLE_LOCK = "console lock"
    CONTROL_PLANE = "control plane"
    """The function app, for a relay."""
    ENTRA = "entra"
    ENTRA_KEYS = "entra keys"
    EVENT_HUB = "event hub"
    KEY_VAULT = "key vault"
    RELAY = "relay"
    SERIAL_GATEWAY = "serial gateway"
    STATEMENT_KEYS = "statement keys"
    STORAGE_BLOBS = "storage blobs"
    STORAGE_TABLES = "storage tables"
    TASK_HUB = "task hub"


class Unavailable(Exception):
    """A dependency does not answer. The text holds no secret."""

    def __init__(
        self,
        what: Dependency,
        why: str,
        trouble: Trouble = Trouble.AWAY,
        *,
        which: str = "",
        retry_after: int | None = None,
    ) -> None:
        """`which`: one of several, such as a relay's name. `retry_after`: seconds that it asks us to wait."""
        super().__init__(f"{what.value}{which and f' {which}'}: {why}")
        self.what, self.trouble, self.retry_after = what, trouble, retry_after


class Clock(Protocol):
    def now(self) -> float:
        """Seconds since 1970, with microseconds."""
        ...


class Ids(Protocol):
    """Makes random ids."""

    def session(self) -> str:
        """Returns a new session id: 128 random bits, url-safe."""
        ...

"""What lies outside and when it does not answer, the time, chance."""

from enum import StrEnum
from typing import Protocol


class Trouble(StrEnum):
    """How something outside fails, as far as whoever asked can do something about it."""

    AWAY = "away"
    """It cannot be reached, breaks off, answers an error, or nonsense."""
    THROTTLED = "throttled"
    """It answers that it is asked too much."""
    SILENT = "silent"
    """It took the question and said nothing in the time that one answer may take."""
    FORBIDDEN = "forbidden"
    """It answers that the service's own identity may not ask this."""
    SLOW = "slow"
    """It answers, but the whole was not there when the time of the request was over."""
    LATE = "late"
    """It was not asked: what came before had used up the time of the request."""


class Dependency(StrEnum):
    """What lies outside and may not answer. The values are for logs, and for the health report where it asks them."""

    ARM = "arm"
    BOOT_DIAGNOSTICS = "boot diagnostics"
    """What a VM printed while it booted: ARM says where it lies, a storage account of Azure's or of the VM's has it."""
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
    """Something outside does not answer. The text holds no secret."""

    def __init__(
        self,
        what: Dependency,
        why: str,
        trouble: Trouble = Trouble.AWAY,
        *,
        which: str = "",
        retry_after: int | None = None,
    ) -> None:
        """`which` of several: a relay's name. `retry_after`: the seconds after which it wants to be asked again, where
        it has said so.
        """
        super().__init__(f"{what.value}{which and f' {which}'}: {why}")
        self.what, self.trouble, self.retry_after = what, trouble, retry_after


class Clock(Protocol):
    def now(self) -> float:
        """Seconds since 1970, with microseconds."""
        ...


class Ids(Protocol):
    """Where randomness comes from."""

    def session(self) -> str:
        """A new session id: 128 random bits, url-safe."""
        ...

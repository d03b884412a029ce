"""Where every part of the local Azure listens. One base port, fixed offsets, loopback only."""

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


HOST_KEY = "local-host-key"
"""Opens the addresses of the local Functions host that are not the application's."""


class Port(IntEnum):
    """Offsets from the stack's base port."""

    FRONT_DOOR = 0
    FUNCTIONS = 1
    RELAY = 2
    RELAY_CONTROL = 3
    ENTRA_PAGE = 4
    """Plain http, for browsers: no certificate to click through."""
    ENTRA = 5
    """https, for the SDKs, which accept nothing else."""
    ARM = 6
    GATEWAY = 7
    GATEWAY_CONTROL = 8
    EVENT_HUBS = 9
    EVENT_HUBS_ADMIN = 10
    BLOBS = 11
    QUEUES = 12
    TABLES = 13
    VAULT = 14
    SCHEDULER = 15
    """Of Microsoft's Durable Task Scheduler emulator, where it is wanted."""
    AZURITE_BLOBS = 16
    """Azurite's own, behind the proxy that has BLOBS and TABLES."""
    AZURITE_TABLES = 17


class Host(StrEnum):
    """Which Functions host runs the app: the stand-in, or Microsoft's own of Functions Core Tools."""

    LOCAL = "local"
    FUNC = "func"


class EventHubs(StrEnum):
    """Which hub takes the records: the stand-in, or Microsoft's emulator in a container."""

    LOCAL = "local"
    EMULATOR = "emulator"


class Engine(StrEnum):
    """What keeps the lock: the host's own engine, or Microsoft's scheduler in a container."""

    LOCAL = "local"
    SCHEDULER = "scheduler"


@dataclass(frozen=True)
class Stack:
    """One local Azure: its base port, the folder that holds its state and logs, and what of Microsoft's takes part."""

    base: int = 8400
    home: Path = ROOT / ".local"
    host: Host = Host.LOCAL
    event_hubs: EventHubs = EventHubs.LOCAL
    engine: Engine = Engine.LOCAL
    hub_pace: float = 1.0
    """How long the local host's listener waits and holds partitions, beside the real one: less than 1 is for tests."""

    def port(self, part: Port) -> int:
        return self.base + part

    def http(self, part: Port) -> str:
        return f"http://localhost:{self.port(part)}"

    def https(self, part: Port) -> str:
        return f"https://localhost:{self.port(part)}"

    @property
    def authority(self) -> str:
        """Entra's address as the SDKs and the token issuer know it."""
        return self.https(Port.ENTRA)

    @property
    def ca(self) -> Path:
        """The certificate authority of this stack, for SSL_CERT_FILE and REQUESTS_CA_BUNDLE."""
        return self.home / "tls" / "ca.pem"

    @property
    def certificate(self) -> Path:
        """Chain and key in one PEM file, for `localhost`."""
        return self.home / "tls" / "localhost.pem"

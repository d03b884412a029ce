"""A stand-in for Azure Event Hubs: AMQP 1.0 on loopback, for the real SDKs (Node, see main.js beside this file).

No TLS and no authentication; clients connect with `UseDevelopmentEmulator=true` in the connection string, and the
port in it is honoured. `npm ci` in this folder installs the one AMQP library it needs.
"""

from collections.abc import Sequence
from pathlib import Path

HERE = Path(__file__).resolve().parent
HUBS = ("records:4",)
"""Hub names and their numbers of partitions."""


def command(port: int, admin_port: int, data: Path | None = None, hubs: Sequence[str] = HUBS) -> list[str]:
    """Say how to start it: prints `ready` once both ports listen; without `data` events live in memory only."""
    words = ["node", str(HERE / "main.js"), "--port", str(port), "--admin", str(admin_port)]
    for hub in hubs:
        words += ["--hub", hub]
    return words if data is None else [*words, "--data", str(data)]


def connection_string(port: int) -> str:
    """Return what the SDK's clients are made from; the key is not checked."""
    key = "SharedAccessKeyName=RootManageSharedAccessKey;SharedAccessKey=not-checked"
    return f"Endpoint=sb://localhost:{port};{key};UseDevelopmentEmulator=true;"

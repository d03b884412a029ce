"""Which relay owns a VM's console: rendezvous hashing.

Each name is scored with the console's id and the highest score wins, so a shard that comes or goes moves only the
consoles it wins or had, about one in as many as there are shards.
"""

import hashlib
from collections.abc import Sequence


def owner(console: str, shards: Sequence[str]) -> str:
    """The shard that owns this console (`VmId.console`). Raises ValueError when there is none."""
    return max(shards, key=lambda shard: (_score(console, shard), shard))


def _score(console: str, shard: str) -> bytes:
    # NUL is in neither, so no two pairs read the same.
    return hashlib.sha256(f"{shard}\0{console}".encode()).digest()

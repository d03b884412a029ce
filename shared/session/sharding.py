"""Assigns each console to a relay by rendezvous hashing.

Each relay's name is scored with the console's id, and the highest score wins. A shard that is added or removed moves
only the consoles that it wins or had: about one in n, for n shards.
"""

import hashlib
from collections.abc import Sequence


def owner(console: str, shards: Sequence[str]) -> str:
    """Returns the shard that owns a console (`VmId.console`). Raises ValueError if `shards` is empty."""
    return max(shards, key=lambda shard: (_score(console, shard), shard))


def _score(console: str, shard: str) -> bytes:
    # Neither text holds NUL, so no two pairs give the same bytes.
    return hashlib.sha256(f"{shard}\0{console}".encode()).digest()

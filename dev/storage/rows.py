"""How large a row of a table is for the service, which counts two bytes for each character of its texts. Pure.

Sources: an entity is at most 1 MiB (REST reference, "Understanding the Table service data model"); how it is counted:
Microsoft's storage blog, "Understanding Windows Azure Storage Billing". Azurite takes the length of the request's
body for it (src/table/handlers/TableHandler.ts, checkEntityLimit).
"""

import json
from typing import Any

from dev.storage.limits import Answer, row_limit

MOST_BYTES = 1 << 20
TOO_LARGE = (400, "EntityTooLarge", "The entity is larger than the maximum allowed size (1MB).")
_HEAD, _PROPERTY, _TEXT, _NUMBER = 4, 8, 4, 8
_BINARY = "Edm.Binary"


def row_bytes(row: dict[str, Any]) -> int:
    keys = sum(2 * len(str(row.get(name, ""))) for name in ("PartitionKey", "RowKey"))
    own = [name for name in row if not name.endswith("@odata.type") and name not in ("PartitionKey", "RowKey")]
    return _HEAD + keys + sum(_PROPERTY + 2 * len(name) + _value(row, name) for name in own)


def _value(row: dict[str, Any], name: str) -> int:
    value = row[name]
    if not isinstance(value, str):
        return _NUMBER
    if row.get(f"{name}@odata.type") == _BINARY:
        return _TEXT + len(value) * 3 // 4
    return _TEXT + 2 * len(value)


def refused_row(method: str, body: bytes) -> Answer | None:
    """Of a request that writes one row; a transaction's rows are deletions here."""
    if method not in ("POST", "PUT", "PATCH", "MERGE") or not body.startswith(b"{"):
        return None
    row = json.loads(body)
    return TOO_LARGE if row_bytes(row) > MOST_BYTES else row_limit(row)

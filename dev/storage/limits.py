"""Bounds of the service that Azurite does not keep, and the answers. Pure: each gives status, code and text, or None.

Sources: azure-docs, articles/storage/blobs/scalability-targets.md and the REST reference, "Append Block" (size of a
block by version), "Naming and Referencing Containers, Blobs, and Metadata" (length of a name, of one of its parts;
metadata), "Get Blob" and "Status and error codes" (a range past the end); "Understanding the Table service data model"
(size of a key, number of properties).
"""

from collections.abc import Iterable, Mapping
from typing import Any

type Answer = tuple[int, str, str]

OLD_BLOCK, NEW_BLOCK = 4 << 20, 100 << 20
"""Bytes of an appended block, up to version 2022-11-02 and from it on."""
NEW_BLOCKS_FROM = "2022-11-02"
NAME_CHARACTERS, NAME_PARTS = 1024, 254
METADATA_BYTES = 8 << 10
KEY_BYTES = 1 << 10
"""In UTF-16."""
PROPERTIES = 252
"""Beside the two keys and the timestamp."""

INVALID_RANGE: Answer = (416, "InvalidRange", "The range specified is invalid for the current size of the resource.")
_LARGE: Answer = (
    413,
    "RequestBodyTooLarge",
    "The request body is too large and exceeds the maximum permissible limit.",
)
_NAME: Answer = (400, "InvalidResourceName", "The specified resource name contains invalid characters or is too long.")
_METADATA: Answer = (400, "MetadataTooLarge", "The size of the specified metadata exceeds the maximum size permitted.")
_KEY: Answer = (400, "KeyValueTooLarge", "The value of PartitionKey or RowKey is larger than 1024 bytes.")
_MANY: Answer = (400, "TooManyProperties", "The entity contains more properties than allowed.")


def blob_limit(name: str, query: Mapping[str, str], headers: Mapping[str, str], length: int) -> Answer | None:
    """Of a request to a blob's address; `length`: of its body."""
    if len(name) > NAME_CHARACTERS or name.count("/") + 1 > NAME_PARTS:
        return _NAME
    if query.get("comp") == "appendblock" and length > _block_bytes(headers.get("x-ms-version", "")):
        return _LARGE
    return _METADATA if _metadata_bytes(headers.items()) > METADATA_BYTES else None


def _block_bytes(version: str) -> int:
    return NEW_BLOCK if version >= NEW_BLOCKS_FROM else OLD_BLOCK


def _metadata_bytes(headers: Iterable[tuple[str, str]]) -> int:
    return sum(
        len(name) - len("x-ms-meta-") + len(value) for name, value in headers if name.lower().startswith("x-ms-meta-")
    )


def row_limit(row: Mapping[str, Any]) -> Answer | None:
    if any(2 * len(str(row.get(key, ""))) > KEY_BYTES for key in ("PartitionKey", "RowKey")):
        return _KEY
    own = [name for name in row if "@odata" not in name and not name.startswith("odata.")]
    return _MANY if len(own) - len({"PartitionKey", "RowKey", "Timestamp"} & set(own)) > PROPERTIES else None

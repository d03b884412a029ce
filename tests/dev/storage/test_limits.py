"""Bounds of the service that Azurite does not keep: at the bound, and one beyond it."""

import json
from pathlib import Path

import pytest
from azure.core.exceptions import HttpResponseError
from azure.storage.blob.aio import BlobServiceClient

from dev.storage.limits import (
    KEY_BYTES,
    METADATA_BYTES,
    NAME_CHARACTERS,
    NAME_PARTS,
    NEW_BLOCK,
    OLD_BLOCK,
    PROPERTIES,
    blob_limit,
    row_limit,
)
from dev.storage.rows import refused_row
from tests.contract.azurite import azurite
from tests.contract.strict_storage import strict_storage

APPEND = {"comp": "appendblock"}


def code(answer: tuple[int, str, str] | None) -> str | None:
    return answer[1] if answer else None


@pytest.mark.parametrize(
    ("version", "most"),
    [("2022-11-02", NEW_BLOCK), ("2025-07-05", NEW_BLOCK), ("2021-12-02", OLD_BLOCK), ("", OLD_BLOCK)],
)
def test_a_block_is_as_large_as_the_version_allows(version: str, most: int) -> None:
    headers = {"x-ms-version": version}
    assert blob_limit("a", APPEND, headers, most) is None
    assert code(blob_limit("a", APPEND, headers, most + 1)) == "RequestBodyTooLarge"
    assert blob_limit("a", {}, headers, most + 1) is None, "no other request is bound so"


def test_a_name_is_bounded_in_characters_and_in_parts() -> None:
    assert blob_limit("n" * NAME_CHARACTERS, {}, {}, 0) is None
    assert code(blob_limit("n" * (NAME_CHARACTERS + 1), {}, {}, 0)) == "InvalidResourceName"
    assert blob_limit("/".join("n" * NAME_PARTS), {}, {}, 0) is None
    assert code(blob_limit("/".join("n" * (NAME_PARTS + 1)), {}, {}, 0)) == "InvalidResourceName"


def test_metadata_counts_names_and_values() -> None:
    assert blob_limit("a", {}, {"x-ms-meta-ab": "v" * (METADATA_BYTES - 2)}, 0) is None
    assert code(blob_limit("a", {}, {"X-MS-Meta-ab": "v" * (METADATA_BYTES - 1)}, 0)) == "MetadataTooLarge"


def test_a_key_counts_two_bytes_a_character_and_a_row_has_so_many_properties() -> None:
    most = "k" * (KEY_BYTES // 2)
    assert row_limit({"PartitionKey": most, "RowKey": most}) is None
    assert code(row_limit({"PartitionKey": "p", "RowKey": most + "k"})) == "KeyValueTooLarge"
    row = {"PartitionKey": "p", "RowKey": "r", "Timestamp": "t", "P0@odata.type": "Edm.Int64", "odata.etag": "e"}
    row |= {f"P{number}": "1" for number in range(PROPERTIES)}
    assert row_limit(row) is None
    assert code(row_limit(row | {"one": "more"})) == "TooManyProperties"
    long = json.dumps({"PartitionKey": "p", "RowKey": most + "k"}).encode()
    assert code(refused_row("PUT", long)) == "KeyValueTooLarge"


async def test_a_range_behind_a_blobs_end_is_refused(tmp_path: Path) -> None:
    with azurite(tmp_path / "azurite") as account, strict_storage(account) as strict:
        await _behind_the_end(strict.connection)


async def _behind_the_end(connection: str) -> None:
    async with BlobServiceClient.from_connection_string(connection) as service:
        container = await service.create_container("ranges")
        await container.upload_blob("blob", b"0123456789")
        assert await (await container.download_blob("blob", offset=9, length=1)).readall() == b"9"
        with pytest.raises(HttpResponseError) as refused:
            await container.download_blob("blob", offset=10, length=1)
        assert refused.value.status_code == 416

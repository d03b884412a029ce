"""How large a row is: twice its characters, whatever their bytes."""

import json

import pytest

from dev.storage.rows import MOST_BYTES, TOO_LARGE, refused_row, row_bytes


def test_texts_count_twice_numbers_eight_and_binaries_their_bytes() -> None:
    keys = {"PartitionKey": "p", "RowKey": "r"}
    assert row_bytes(keys) == 8
    assert row_bytes(keys | {"Text": "abc"}) == 8 + 8 + 8 + 4 + 6
    assert row_bytes(keys | {"At": 1.5, "At@odata.type": "Edm.Double"}) == 8 + 8 + 4 + 8
    assert row_bytes(keys | {"Raw": "AAAA", "Raw@odata.type": "Edm.Binary"}) == 8 + 8 + 6 + 4 + 3


@pytest.mark.parametrize(("method", "characters", "large"), [("PUT", 600_000, True), ("PUT", 500_000, False)])
def test_a_row_of_more_than_a_mebibyte_is_told_also_where_its_bytes_are_fewer(
    method: str, characters: int, *, large: bool
) -> None:
    body = json.dumps({"PartitionKey": "p", "RowKey": "r", "Text": "x" * characters}).encode()
    assert len(body) < MOST_BYTES
    assert refused_row(method, body) == (TOO_LARGE if large else None)
    assert refused_row("GET", body) is None
    assert refused_row("POST", b"--batch") is None

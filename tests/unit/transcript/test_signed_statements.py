"""Statements come back as they were made, and nothing else passes for one."""

from typing import Any

import pytest

from shared.transcript.signed_statements import (
    Checkpoint,
    Dropped,
    HoldPlaced,
    HoldReleased,
    InvalidStatement,
    Statement,
    claims,
    read_statement,
)

STATEMENTS: list[Statement] = [
    Checkpoint("/vm/a", 5, 1, 10, b"h" * 32),
    Dropped("/vm/a", 6, 1, 10, b"h" * 32, "age"),
    HoldPlaced("/vm/a", 7, "Ada", "case 12"),
    HoldReleased("/vm/a", 8, "Ada"),
]


@pytest.mark.parametrize("statement", STATEMENTS)
def test_a_statement_is_read_as_it_was_made(statement: Statement) -> None:
    assert read_statement({"iss": "https://service", **claims(statement)}) == statement


@pytest.mark.parametrize(
    "change", [{"says": "nothing"}, {"hash": "x"}, {"hash": 5}, {"at": "5"}, {"more": 1}, {"console": None}]
)
def test_what_is_no_statement_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(InvalidStatement):
        read_statement(claims(STATEMENTS[0]) | change)


def test_a_statement_that_lacks_a_field_is_refused() -> None:
    with pytest.raises(InvalidStatement):
        read_statement({"says": "held", "console": "/vm/a", "at": 5})

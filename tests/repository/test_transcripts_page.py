"""docs/transcripts.md tells every event that can be in a transcript, with its fields."""

import ast
import re

import pytest

from dev.stack import ROOT

PAGE = (ROOT / "docs/transcripts.md").read_text()
CODE = [
    path
    for part in ("relay/**", "shared/base", "shared/console", "shared/transcript")
    for path in sorted(ROOT.glob(f"{part}/*.py"))
]
PLACE = {"event", "epoch", "seq"}
"""What says which event of which epoch it is."""


def told(page: str) -> dict[str, set[str]]:
    rows = re.findall(
        r"^\| `([\w-]+)` \| [^|]+ \|([^|]*)\|$", page.partition("## What can have happened")[2], re.MULTILINE
    )
    return {name: set(re.findall(r"`(\w+)`", fields)) for name, fields in rows}


def written() -> dict[str, set[str]]:
    """Every event that is noted, broken off with, or put together as a JSON object."""
    events: dict[str, set[str]] = {}
    for node in (node for path in CODE for node in ast.walk(ast.parse(path.read_text()))):
        match node:
            case ast.Call(ast.Attribute(attr="_record_event" | "_break_off"), [ast.Constant(str(name)), *_], keywords):
                fields = {str(keyword.arg) for keyword in keywords}
            case ast.Dict([ast.Constant("event"), *keys], [ast.Constant(str(name)), *_]):
                fields = {str(key.value) for key in keys if isinstance(key, ast.Constant)}
            case _:
                continue
        assert events.setdefault(name, fields - PLACE) == fields - PLACE, f"{name} has different fields by place"
    return events


def test_every_event_is_told_with_its_fields() -> None:
    assert told(PAGE) == written()


@pytest.mark.parametrize("event", ["attach", "hole", "relay-lost", "end", "masked"])
def test_an_event_that_is_not_told_is_missed(event: str) -> None:
    assert event in written()
    assert told(PAGE.replace(f"| `{event}` |", "| ... |")) != written()

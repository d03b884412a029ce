"""An auditor's reading of segments, written from docs/protocol.md alone: it shares no code with the archiver."""

import json
from collections.abc import Iterable, Iterator
from hashlib import sha256
from typing import Any

NO_HASH = "00" * 32


def audit(segments: Iterable[bytes]) -> list[tuple[str, Any]]:
    """("o", bytes) and ("e", object) in order. AssertionError when anything is missing, repeated or altered."""
    kept: list[tuple[str, Any]] = []
    state: dict[str, Any] = {"hash": NO_HASH, "offset": 0, "ordinal": 0}
    for data in segments:
        if data:
            kept.extend(_audit_one(data, state))
            state["ordinal"] += 1
    return kept


def _audit_one(data: bytes, state: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    assert data.endswith(b"\n")
    first, *lines = data[:-1].split(b"\n")
    _check_header(json.loads(first), state)
    content = first + b"\n"
    closed = False
    for line in lines:
        assert not closed, "nothing follows the checkpoint that closes a segment"
        _, code, text = json.loads(line)
        if code == "k":
            said = json.loads(text)
            closed = _check(said, content + line[: line.rindex(said["hash"].encode())], state)
            content = b""
            continue
        content += line + b"\n"
        if code == "o":
            body = text.encode("utf-8", "surrogateescape")
            state["offset"] += len(body)
            yield "o", body
        else:
            assert code == "e"
            said = json.loads(text)
            if said.get("event") == "continues":  # no record: the archive's own word, for those who read it
                assert set(said) == {"event", "epoch"}
            else:
                yield "e", said
    assert content == b"", "every append ends with a checkpoint"


def _check_header(header: dict[str, Any], state: dict[str, Any]) -> None:
    assert header["version"] == 2
    assert isinstance(header["width"], int)
    assert isinstance(header["height"], int)
    assert isinstance(header["timestamp"], int)
    about = header["serialconsole"]
    assert about["segment"] == state["ordinal"]
    assert about["offset"] == state["offset"]
    assert (about["previous"] or NO_HASH) == state["hash"]
    assert header["timestamp"] == about["startedUs"] // 1_000_000


def _check(said: dict[str, Any], content: bytes, state: dict[str, Any]) -> bool:
    state["hash"] = sha256(bytes.fromhex(state["hash"]) + content).hexdigest()
    assert said["hash"] == state["hash"]
    assert said["offset"] == state["offset"]
    assert said.get("next") in (None, state["ordinal"] + 1)
    return "next" in said

"""Recordings, holds, verification and checkpoints through their triggers, with a world of fakes."""

import json
from collections.abc import Iterator
from typing import Any

import azure.functions as func
import pytest

from functions.http.responses import time_text
from functions.http.routes import make_trigger
from functions.recordings import _lift, _list, _place
from functions.verification import _checkpoints, _verify
from shared import wiring
from shared.base.archive_progress import RecordedLast
from shared.base.ports import Dependency, Unavailable
from shared.base.record import Batch, Record, RecordKind, Source
from shared.session.lock import Lease
from shared.transcript.flows.apply_retention import apply_retention
from shared.transcript.flows.archive_records import KnownEnds, archive_records
from shared.transcript.recording_state import SILENT_SECONDS
from tests.contract.memory_archive import MemoryArchive
from tests.fakes import NOW, VM, FakeDependencies, without_read

STARTER = "recordings"
QUERY = ("from", "to", "segment")
WORKS = {"list": _list, "place": _place, "lift": _lift, "verify": _verify, "checkpoints": _checkpoints}
T = int(NOW * 1e6)
RECORDS = (
    Record.event(1, T, "port-open"),
    Record.event(2, T + 1_000_000, "attach", session="s1", user="Ada", mode="write"),
    Record(RecordKind.PRINTED, 3, T + 2_000_000, b"\nLinux version 6.12\n"),
    Record.event(4, T + 3_000_000, "detach", session="s1", user="Ada", why="Goodbye"),
    Record.end(5, T + 4_000_000, "goodbye"),
)


@pytest.fixture
def fakes() -> Iterator[FakeDependencies]:
    made = FakeDependencies()
    wiring.built[STARTER] = made.dependencies
    yield made
    del wiring.built[STARTER]


@pytest.fixture(autouse=True)
async def kept(monkeypatch: pytest.MonkeyPatch, fakes: FakeDependencies) -> MemoryArchive:
    made = MemoryArchive()
    await archive_records([Batch(Source(VM.console, "e1", "r0"), RECORDS).encode()], made.transcripts, KnownEnds())
    monkeypatch.setattr(wiring, "archive", lambda: made.archive)
    return made


async def call(name: str, body: Any = None, **query: str) -> tuple[int, Any]:
    parts = {"subscription": VM.subscription, "group": VM.group, "name": VM.name}
    req = func.HttpRequest(
        method="GET", url="http://localhost/api", params=query, route_params=parts,
        body=b"" if body is None else json.dumps(body).encode(), headers={"content-type": "application/json"},
    )  # fmt: skip
    response = await make_trigger(name, WORKS[name], QUERY)(req, STARTER)
    return response.status_code, json.loads(response.get_body() or b"null")


async def test_a_recording_says_who_when_and_what() -> None:
    status, found = await call("list")
    assert (status, found["complete"], found["hold"]) == (200, True, None)
    (recording,) = found["value"]
    assert recording == {
        "id": "e1", "began": "2027-01-15T08:00:00.000Z", "last": "2027-01-15T08:00:04.000Z",
        "ended": "2027-01-15T08:00:04.000Z", "reason": "goodbye", "start": 0, "end": 20,
        "people": [
            {
                "session": "s1", "name": "Ada", "mode": "write", "began": "2027-01-15T08:00:01.000Z",
                "ended": "2027-01-15T08:00:03.000Z",
            }
        ],
        "marks": [
            {"kind": "boot", "offset": 1, "time": "2027-01-15T08:00:02.000Z", "text": "Linux version 6.12"}
        ],
        "state": "ended", "lastSign": None,
    }  # fmt: skip


async def test_a_recording_whose_relay_is_gone_says_so_until_it_returns(
    kept: MemoryArchive, fakes: FakeDependencies
) -> None:
    relay_lost = Record.event(3, T + 9_000_000, "relay-lost")
    records = (Record.event(1, T, "port-open", relay="r0"), Record(RecordKind.PRINTED, 2, T, b"x"))
    await archive_records([Batch(Source(VM.console, "e2", "r0"), records).encode()], kept.transcripts, KnownEnds())
    fakes.relays.fail = Unavailable(Dependency.RELAY, "away")
    fakes.leases.said["r0"] = Lease(NOW + 60, frozenset())
    fakes.clock.time = NOW + 60 + SILENT_SECONDS
    assert [each["state"] for each in (await call("list"))[1]["value"]] == ["ended", "running"]
    fakes.clock.time += 1
    recording = (await call("list"))[1]["value"][1]
    assert (recording["state"], recording["lastSign"]) == ("interrupted", "2027-01-15T08:01:00.000Z")
    returned = (relay_lost, Record.end(4, T + 9_000_000, "relay-lost"))
    await archive_records([Batch(Source(VM.console, "e2", "r0"), returned).encode()], kept.transcripts, KnownEnds())
    recording = (await call("list"))[1]["value"][1]
    assert (recording["state"], recording["reason"], recording["lastSign"]) == ("ended", "relay-lost", None)


async def test_a_list_with_words_that_were_printed_is_a_read(kept: MemoryArchive) -> None:
    await call("list")
    assert [(read.name, read.what) for _, read in kept.reads.kept] == [("Ada", "recordings")]
    kept.reads.fail = Unavailable(Dependency.STORAGE_TABLES, "away")
    assert (await call("list"))[0] == 503


@pytest.mark.parametrize("name", ["list", "verify", "checkpoints"])
async def test_who_may_not_read_learns_nothing(fakes: FakeDependencies, name: str) -> None:
    fakes.rights.lacking["ada"] = without_read(VM)
    status, answer = await call(name)
    assert (status, answer["error"]["code"]) == (403, "ReadDenied") or status in (403, 404)
    assert "value" not in answer


async def test_a_hold_is_placed_shown_and_lifted(kept: MemoryArchive) -> None:
    assert await call("place", {"reason": "case 12"}) == (
        200, {"by": "Ada", "since": "2027-01-15T08:00:00.000Z", "reason": "case 12"}
    )  # fmt: skip
    assert (await call("list"))[1]["hold"]["reason"] == "case 12"
    assert await call("lift") == (204, None)
    assert (await call("list"))[1]["hold"] is None


@pytest.mark.parametrize("body", [None, {}, {"reason": ""}, {"reason": 5}, {"reason": "x\n"}, {"reason": "x", "a": 1}])
async def test_a_hold_needs_a_reason_and_nothing_else(kept: MemoryArchive, body: Any) -> None:
    status, answer = await call("place", body)
    assert (status, answer["error"]["code"]) == (400, "InvalidRequest")
    assert not kept.holds.placed


async def test_a_whole_transcript_is_complete_and_signed(kept: MemoryArchive) -> None:
    await apply_retention(kept.archive)
    status, found = await call("verify")
    assert status == 200
    assert (found["complete"], found["segments"], found["end"], found["next"]) == (True, 1, 20, None)
    assert found["signed"] == {"time": "2027-01-15T08:00:00.000Z", "offset": 20}


async def test_a_finding_says_who_could_explain_it(kept: MemoryArchive) -> None:
    blob = kept.transcripts.blobs[VM.console, 0]
    blob[blob.index(b"Linux") : blob.index(b"Linux") + 5] = b"Minix"
    status, found = await call("verify")
    assert (status, found["complete"]) == (200, False)
    assert found["findings"][0]["fault"] == "altered"
    assert "write to the storage" in found["findings"][0]["who"]


@pytest.mark.parametrize(
    "query", [{"from": "2027-01-15T08:00:00Z", "to": "2027-01-15T09:00:00+00:00"}, {"from": "1.5"}, {"segment": "0"}]
)
async def test_a_range_may_be_named(query: dict[str, str]) -> None:
    status, found = await call("verify", **query)
    assert (status, found["segments"]) == (200, 1)


@pytest.mark.parametrize(
    "query",
    [
        {"from": "yesterday"}, {"to": "2027-01-15T08:00:00"}, {"segment": "-1"}, {"segment": "9" * 9},
        {"segment": "1", "from": "5"}, {"from": "1e5"}, {"from": "9" * 12},
    ],
)  # fmt: skip
async def test_a_range_that_is_none_is_refused(query: dict[str, str]) -> None:
    status, answer = await call("verify", **query)
    assert (status, answer["error"]["code"]) == (400, "InvalidRequest")


async def test_what_was_signed_is_shown_with_its_keys(kept: MemoryArchive) -> None:
    await apply_retention(kept.archive)
    status, found = await call("checkpoints")
    assert (status, len(found["value"]), found["keys"]) == (200, 1, [])


async def test_a_clock_that_is_far_off_breaks_no_list(kept: MemoryArchive) -> None:
    far = Record.event(1, 2**62, "port-open")
    await archive_records([Batch(Source(VM.console, "e2", "r0"), (far,)).encode()], kept.transcripts, KnownEnds())
    status, found = await call("list")
    assert (status, found["value"][1]["began"]) == (200, "9999-12-31T23:59:59.000Z")


async def test_a_list_and_a_verification_tell_what_is_behind_from_what_is_complete(fakes: FakeDependencies) -> None:
    fakes.relays.last = RecordedLast("e1", 7, NOW)
    behind = {"state": "behind", "records": 2, "recorded": time_text(NOW)}
    assert (await call("list"))[1]["archive"] == behind
    verified = (await call("verify"))[1]
    assert (verified["complete"], verified["archive"]) == (True, behind)
    assert (await call("verify", to="2020-01-01T00:00:00Z"))[1]["archive"] is None

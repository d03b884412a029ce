"""GET .../serialConsole/transcript with a world of fakes: what a query may say, and what comes back."""

import json
from collections.abc import Iterator
from typing import Any

import azure.functions as func
import pytest

from functions.http.binary_responses import handing_out
from functions.http.routes import make_trigger
from functions.transcript_search import _search
from functions.transcripts import _read, _who
from shared import wiring
from shared.base.archive_progress import RecordedLast
from shared.base.ports import Dependency, Unavailable
from shared.base.record import Batch, Record, RecordKind, Source
from shared.transcript.flows import index_transcript
from shared.transcript.flows.archive_records import KnownEnds, archive_records
from tests.contract.memory_archive import MemoryArchive
from tests.contract.memory_transcripts import MemoryTranscripts
from tests.fakes import NOW, VM, FakeDependencies, without_read

STARTER = "transcripts"
PRINTED = b"\xffhello\x00" * 100
trigger = handing_out("read_transcript", _read)


@pytest.fixture
def fakes() -> Iterator[FakeDependencies]:
    made = FakeDependencies()
    wiring.built[STARTER] = made.dependencies
    yield made
    del wiring.built[STARTER]


@pytest.fixture(autouse=True)
async def archive(monkeypatch: pytest.MonkeyPatch, fakes: FakeDependencies) -> MemoryArchive:
    made = MemoryArchive()
    kept = made.transcripts
    records = (Record.event(1, 5_000_000, "attach"), Record(RecordKind.PRINTED, 2, 6_000_000, PRINTED))
    await archive_records([Batch(Source(VM.console, "e", "r"), records).encode()], kept, KnownEnds())
    monkeypatch.setattr(wiring, "archive", lambda: made.archive)
    return made


@pytest.fixture
def transcripts(archive: MemoryArchive) -> MemoryTranscripts:
    return archive.transcripts


async def get(**query: str) -> func.HttpResponse:
    parts = {"subscription": VM.subscription, "group": VM.group, "name": VM.name}
    req = func.HttpRequest(method="GET", url="http://localhost/api", params=query, route_params=parts, body=b"")
    return await trigger(req, STARTER)


async def test_without_a_query_the_printed_bytes_come_back_exactly() -> None:
    response = await get()
    assert (response.status_code, response.get_body()) == (200, PRINTED)
    assert response.mimetype == "application/octet-stream"
    headers = {name: response.headers[f"x-console-offset-{name}"] for name in ("start", "next", "end")}
    assert headers == {"start": "0", "next": "700", "end": "700"}
    assert response.headers["x-ms-correlation-request-id"]


async def test_offset_and_limit_name_a_range() -> None:
    response = await get(format="raw", offset="3", limit="5")
    assert response.get_body() == PRINTED[3:8]
    assert response.headers["x-console-offset-next"] == "8"


async def test_at_the_end_the_answer_is_empty() -> None:
    response = await get(offset="700")
    assert (response.status_code, response.get_body()) == (200, b"")


async def test_a_console_that_printed_nothing_is_empty(transcripts: MemoryTranscripts) -> None:
    transcripts.blobs.clear()
    for form in ("raw", "cast", "events"):
        response = await get(format=form)
        assert (response.status_code, response.get_body()) == (200, b"")


async def test_a_recording_can_be_played_and_is_paged_by_segment() -> None:
    first = await get(format="cast", limit="1")
    assert first.mimetype == "application/x-asciicast"
    second = await get(format="cast", segment=first.headers["x-console-segment-next"])
    header, event, printed = [json.loads(line) for line in (first.get_body() + second.get_body()).splitlines()]
    assert header["version"] == 2
    assert (event[:2], printed[:2]) == ([0.0, "e"], [1.0, "o"])
    assert "x-console-segment-next" not in second.headers


async def test_events_come_one_a_line() -> None:
    response = await get(format="events")
    assert response.mimetype == "application/x-ndjson"
    assert json.loads(response.get_body()) == {"time": 5.0, "segment": 0, "event": "attach", "epoch": "e", "seq": 1}


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ({"format": "html"}, "format must be one of raw, text, cast, events"),
        ({"wait": "21"}, "wait must be at most"),
        ({"from": "noon"}, "from must be a time"),
        ({"from": "5", "at": "boot"}, "write from or at, not both"),
        ({"at": "noon"}, "at must be boot or panic"),
        ({"recording": "../x"}, "recording must be an id"),
        ({"limit": "0"}, "limit must be from 1"),
        ({"limit": str((4 << 20) + 1)}, "limit must be from 1"),
        ({"limit": "many"}, "limit must be a whole number"),
        ({"offset": "-1"}, "offset must be a whole number"),
        ({"format": "cast", "offset": "1"}, "does not know: 'offset'"),
        ({"segment": "1"}, "does not know: 'segment'"),
        ({"format": "cast", "segment": "x"}, "segment must be"),
        ({"format": "events", "segment": "0.3.1"}, "segment is not what"),
    ],
)
async def test_a_query_that_makes_no_sense_is_named(query: dict[str, str], problem: str) -> None:
    response = await get(**query)
    assert response.status_code == 400
    assert problem in json.loads(response.get_body())["error"]["message"]


async def test_a_vm_that_is_not_there_is_not_found(fakes: FakeDependencies) -> None:
    fakes.vms.vms.clear()
    response = await get()
    assert response.status_code == 404
    assert json.loads(response.get_body())["error"]["code"] == "VmNotFound"


async def test_who_may_not_open_the_console_may_not_read_what_it_printed(fakes: FakeDependencies) -> None:
    fakes.rights.lacking["ada"] = without_read()
    response = await get()
    assert response.status_code == 403
    assert PRINTED not in response.get_body()


async def test_a_segment_that_somebody_damaged_is_a_fault_of_the_service(transcripts: MemoryTranscripts) -> None:
    transcripts.blobs[VM.console, 0][:] = b"scribble\n"
    assert (await get(format="cast")).status_code == 500


RECORDS = (
    Record.event(3, 7_000_000, "port-open"),
    Record.event(4, 8_000_000, "attach", session="s1", user="Ada", mode="write"),
    Record(RecordKind.PRINTED, 5, 9_000_000, b"Linux version 6.12\r\n\x1b[31mred\x1b[0m\r\n"),
    Record.event(6, 10_000_000, "detach", session="s1", user="Ada"),
    Record(RecordKind.PRINTED, 7, 11_000_000, b"afterwards\r\n"),
    Record.end(8, 12_000_000, "goodbye"),
)
BOOT = RECORDS[2].body
ALL = PRINTED + BOOT + b"afterwards\r\n"


@pytest.fixture
async def visited(transcripts: MemoryTranscripts) -> None:
    await archive_records([Batch(Source(VM.console, "e", "r"), RECORDS).encode()], transcripts, KnownEnds())


@pytest.mark.usefixtures("visited")
@pytest.mark.parametrize(
    ("query", "content"),
    [
        ({"from": "9"}, ALL[700:]),
        ({"from": "1970-01-01T00:00:09Z", "to": "1970-01-01T00:00:09+00:00"}, BOOT),
        ({"to": "8"}, PRINTED),
        ({"from": "99"}, b""),
        ({"at": "boot"}, ALL[700:]),
        ({"session": "s1"}, BOOT),
        ({"recording": "e"}, ALL),
        ({"recording": "e", "offset": "705"}, ALL[705:]),
        ({"recording": "e", "to": "9"}, PRINTED + BOOT),
        ({"format": "text", "at": "boot"}, b"Linux version 6.12\nred\nafterwards\n"),
        ({"format": "text", "session": "s1"}, b"Linux version 6.12\nred\n"),
    ],
)
async def test_a_place_may_be_a_time_a_boot_a_session_a_recording(query: dict[str, str], content: bytes) -> None:
    response = await get(**query)
    assert (response.status_code, response.get_body()) == (200, content)


@pytest.mark.usefixtures("visited")
@pytest.mark.parametrize(
    ("query", "printed"),
    [
        ({"recording": "e"}, [PRINTED, BOOT, b"afterwards\r\n"]),
        ({"session": "s1"}, [BOOT]),
        ({"at": "boot"}, [BOOT, b"afterwards\r\n"]),
        ({"from": "10.5", "to": "11"}, [b"afterwards\r\n"]),
        ({"from": "99"}, []),
    ],
)
async def test_a_part_may_be_played_by_itself(query: dict[str, str], printed: list[bytes]) -> None:
    lines = [json.loads(line) for line in (await get(format="cast", **query)).get_body().splitlines()]
    shown = [line[2].encode("utf-8", "surrogateescape") for line in lines[1:] if line[1] == "o"]
    assert shown == printed
    assert not lines or lines[0]["version"] == 2


@pytest.mark.parametrize("query", [{"recording": "none"}, {"session": "nobody"}, {"at": "panic"}])
@pytest.mark.parametrize("form", ["raw", "cast"])
async def test_what_is_not_on_record_is_not_found(query: dict[str, str], form: str) -> None:
    response = await get(format=form, **query)
    assert (response.status_code, response.headers["x-ms-error-code"]) == (404, "RecordingNotFound")


@pytest.mark.parametrize(("kind", "word"), [("boot", "Linux version"), ("panic", "Kernel panic")])
async def test_who_finds_no_boot_is_told_what_is_looked_for_and_what_else_to_ask(kind: str, word: str) -> None:
    fix = json.loads((await get(at=kind)).get_body())["error"]["innererror"]["fix"]
    assert all(words in fix for words in (word, "from=", "recording=", "search"))


async def test_a_refusal_is_about_the_vm_of_the_address() -> None:
    error = json.loads((await get(format="noise")).get_body())["error"]
    assert (error["code"], error["target"]) == ("InvalidRequest", VM.resource_id)


async def test_while_the_list_of_recordings_is_being_made_its_places_are_to_be_asked_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(index_transcript, "REQUEST_BYTES", 1)
    response = await get(recording="none")
    assert (response.status_code, response.headers["x-ms-error-code"]) == (503, "RecordingsIncomplete")
    assert response.headers["Retry-After"] == "1"
    assert (await get(offset="0")).status_code == 200


async def ranged(value: str, **query: str) -> func.HttpResponse:
    parts = {"subscription": VM.subscription, "group": VM.group, "name": VM.name}
    req = func.HttpRequest(
        method="GET", url="http://localhost/api", params=query, route_params=parts, body=b"", headers={"range": value}
    )
    return await trigger(req, STARTER)


@pytest.mark.parametrize(
    ("value", "content", "said"),
    [
        ("bytes=3-7", PRINTED[3:8], "bytes 3-7/700"),
        ("bytes=690-", PRINTED[690:], "bytes 690-699/700"),
        ("bytes=-5", PRINTED[-5:], "bytes 695-699/700"),
        ("bytes=690-9999", PRINTED[690:], "bytes 690-699/700"),
    ],
)
async def test_a_range_of_bytes_is_answered_as_one(value: str, content: bytes, said: str) -> None:
    response = await ranged(value)
    assert (response.status_code, response.get_body()) == (206, content)
    assert response.headers["Content-Range"] == said


async def test_a_range_behind_the_end_is_refused_and_one_that_is_no_range_is_no_matter() -> None:
    assert (await ranged("bytes=700-")).status_code == 416
    assert (await ranged("bytes=5-3")).status_code == 416
    for value in ("lines=1-2", "bytes=-", "bytes=1-2,4-5"):
        assert (await ranged(value)).status_code == 200
    assert (await ranged("bytes=0-3", format="events")).status_code == 200
    assert (await ranged("bytes=0-3", offset="5")).get_body() == PRINTED[5:], "one place is enough"


@pytest.mark.usefixtures("visited")
async def test_whoever_waits_learns_where_to_go_on(transcripts: MemoryTranscripts) -> None:
    first = await get(format="events", wait="0")
    at = first.headers["x-console-segment-next"]
    assert (await get(format="events", wait="0", segment=at)).get_body() == b""
    more = Record.event(1, 13_000_000, "port-open")
    await archive_records([Batch(Source(VM.console, "f", "r"), (more,)).encode()], transcripts, KnownEnds())
    again = await get(format="events", wait="20", segment=at)
    assert json.loads(again.get_body())["epoch"] == "f"


@pytest.mark.usefixtures("visited")
@pytest.mark.parametrize("form", ["cast", "events"])
async def test_whoever_waits_for_a_time_to_come_begins_then_and_not_before(
    transcripts: MemoryTranscripts, form: str
) -> None:
    first = await get(format=form, wait="0", **{"from": "99"})
    assert first.get_body() == b""
    more = Record.event(1, 100_000_000, "port-open")
    await archive_records([Batch(Source(VM.console, "f", "r"), (more,)).encode()], transcripts, KnownEnds())
    again = await get(format=form, wait="0", segment=first.headers["x-console-segment-next"])
    assert again.get_body().splitlines()[-1].count(b"port-open") == 1
    assert again.get_body().count(b"attach") == 0


async def test_who_has_read_is_on_record_before_anything_is_handed_out(archive: MemoryArchive) -> None:
    await get(format="raw", offset="3", limit="5")
    assert [(of, read.name, read.what) for of, read in archive.reads.kept] == [
        (VM.console, "Ada", "format=raw offset=3")
    ]
    await get(offset="700")
    assert len(archive.reads.kept) == 1, "nothing was handed out"
    archive.reads.fail = Unavailable(Dependency.STORAGE_TABLES, "away")
    response = await get()
    assert (response.status_code, b"hello" in response.get_body()) == (503, False)


async def ask(work: Any, query: tuple[str, ...] = (), **said: str) -> tuple[int, Any]:
    parts = {"subscription": VM.subscription, "group": VM.group, "name": VM.name}
    req = func.HttpRequest(method="GET", url="http://localhost/api", params=said, route_params=parts, body=b"")
    response = await make_trigger("asks", work, query)(req, STARTER)
    return response.status_code, json.loads(response.get_body())


async def test_readers_are_shown_to_those_who_administer(fakes: FakeDependencies) -> None:
    await get()
    status, found = await ask(_who)
    assert (status, [(each["name"], each["what"]) for each in found["value"]]) == (200, [("Ada", "format=raw")])
    fakes.rights.lacking["ada"] = ["Microsoft.SerialConsole/serialPorts/write"]
    assert (await ask(_who))[0] == 403


SEARCH = ("q", "context", "limit", "from", "to", "cursor")


@pytest.mark.usefixtures("visited")
async def test_a_search_finds_a_line_with_its_place_and_its_recording(archive: MemoryArchive) -> None:
    status, found = await ask(_search, SEARCH, q="RED", context="1")
    assert (status, found["next"]) == (200, None)
    (hit,) = found["value"]
    assert (hit["match"], len(hit["before"]), hit["after"]) == ("red", 1, ["afterwards"])
    assert (hit["recording"], hit["time"]) == ("e", "1970-01-01T00:00:09.000Z")
    assert ALL[hit["offset"] :].startswith(b"\x1b[31mred")
    assert [read.what for _, read in archive.reads.kept] == ["search"], "not for what"


@pytest.mark.usefixtures("visited")
@pytest.mark.parametrize(
    ("query", "hits"),
    [
        ({"q": "r", "from": "10.5"}, 1), ({"q": "r", "to": "10", "from": "9"}, 2), ({"q": "nowhere"}, 0),
        ({"q": "r", "from": "99"}, 0), ({"q": "r", "cursor": "720", "context": "0"}, 2),
    ],
)  # fmt: skip
async def test_a_search_may_be_bounded(archive: MemoryArchive, query: dict[str, str], hits: int) -> None:
    status, found = await ask(_search, SEARCH, **query)
    assert (status, len(found["value"])) == (200, hits)
    assert [read.what for _, read in archive.reads.kept] == ["search"], "also where nothing is found"


@pytest.mark.parametrize(
    "query",
    [
        {}, {"q": ""}, {"q": " "}, {"q": "x" * 201}, {"q": "a\nb"}, {"q": "x", "context": "11"},
        {"q": "x", "limit": "201"}, {"q": "x", "limit": "0"}, {"q": "x", "cursor": "-1"}, {"q": "x", "to": "noon"},
    ],
)  # fmt: skip
async def test_a_search_that_makes_no_sense_is_refused(query: dict[str, str]) -> None:
    status, answer = await ask(_search, SEARCH, **query)
    assert (status, answer["error"]["code"]) == (400, "InvalidRequest")


async def test_who_comes_to_the_end_hears_whether_more_was_recorded(fakes: FakeDependencies) -> None:
    fakes.relays.last = RecordedLast("e", 5, NOW)
    for query in ({}, {"offset": "700"}, {"format": "events", "segment": "9"}):
        response = await get(**query)
        assert response.headers["x-console-archive"] == "behind", query
        assert response.headers["x-console-records-behind"] == "3"
    fakes.relays.last = RecordedLast("e", 2, NOW)
    assert (await get()).headers["x-console-archive"] == "current"
    fakes.relays.last = None
    unknown = await get()
    assert unknown.headers["x-console-archive"] == "unknown"
    assert "x-console-records-behind" not in unknown.headers


async def test_who_is_not_at_the_end_asks_no_relay(fakes: FakeDependencies) -> None:
    fakes.relays.last = RecordedLast("e", 5, NOW)
    assert "x-console-archive" not in (await get(limit="5")).headers

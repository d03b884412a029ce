"""GET .../serialConsole/transcript with a world of fakes: what a query may say, and what comes back."""

import json
from collections.abc import Iterator

import azure.functions as func
import pytest

from functions.transcripts import _trigger
from shared import wiring
from shared.domain.record import Batch, Kind, Record, Source
from shared.flows.archive_records import Tails, archive_records
from tests.contract.memory_transcripts import MemoryTranscripts
from tests.fakes import VM, FakeWorld, without_read

STARTER = "transcripts"
PRINTED = b"\xffhello\x00" * 100
trigger = _trigger("read_transcript")


@pytest.fixture
def fakes() -> Iterator[FakeWorld]:
    made = FakeWorld()
    wiring.worlds[STARTER] = made.world
    yield made
    del wiring.worlds[STARTER]


@pytest.fixture(autouse=True)
async def transcripts(monkeypatch: pytest.MonkeyPatch, fakes: FakeWorld) -> MemoryTranscripts:
    kept = MemoryTranscripts()
    records = (Record.event(1, 5_000_000, "attach"), Record(Kind.PRINTED, 2, 6_000_000, PRINTED))
    await archive_records([Batch(Source(VM.console, "e", "r"), records).encode()], kept, Tails())
    monkeypatch.setattr(wiring, "transcripts", lambda: kept)
    return kept


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
        ({"format": "text"}, "format must be one of raw, cast, events"),
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


async def test_a_vm_that_is_not_there_is_not_found(fakes: FakeWorld) -> None:
    fakes.vms.vms.clear()
    response = await get()
    assert response.status_code == 404
    assert json.loads(response.get_body())["error"]["code"] == "VmNotFound"


async def test_who_may_not_open_the_console_may_not_read_what_it_printed(fakes: FakeWorld) -> None:
    fakes.rights.lacking["ada"] = without_read()
    response = await get()
    assert response.status_code == 403
    assert PRINTED not in response.get_body()


async def test_a_segment_that_somebody_damaged_is_a_fault_of_the_service(transcripts: MemoryTranscripts) -> None:
    transcripts.blobs[VM.console, 0][:] = b"scribble\n"
    assert (await get(format="cast")).status_code == 500

"""How long an answer may be: 4 MiB, whatever is asked for, and a cursor for the rest.

The host holds an answer in memory before its first byte leaves: 200 MB took 2 GB (seen on host 4.1037, 2026-11-28).
"""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import azure.functions as func
import pytest
from hypothesis import given
from hypothesis import strategies as st

import function_app
from functions import recordings, relays, sessions, transcript_search, transcripts, verification
from functions import vms as status
from functions.boot_logs import _log
from functions.http.binary_responses import Contents, handing_out
from functions.http.operations import OPERATIONS, Operation
from functions.http.paging import PAGE_BYTES, page_of
from functions.http.pipeline import RequestContext, Result, Work, answer
from functions.http.responses import ANSWER_BYTES
from functions.http.routes import make_trigger
from functions.http.schemas import SCHEMAS
from shared import wiring
from shared.access.policy import Typing
from shared.access.ports import BootLog
from shared.base.record import Batch, Record, RecordKind, Source
from shared.base.refusals import Code
from shared.base.vm import VmId
from shared.session.grant import Mode
from shared.session.ports import Notice, Session
from shared.transcript.flows import verify_transcript
from shared.transcript.flows.archive_records import KnownEnds, archive_records
from shared.transcript.signed_statements import HoldPlaced
from shared.transcript.verification import Fault, Finding
from tests.contract.memory_archive import MemoryArchive
from tests.fakes import NOW, VM, FakeDependencies, machine

assert function_app.app, "importing it describes every operation"
STARTER = "bounds"
FEW = {
    "list_all_approvals": "200 requests at a time (table_approvals.MOST)",
    "list_reads": "the newest 500 (read_recorded.SHOWN)",
    "verify_transcript": "1,000 findings of a part (proofs._MOST_FINDINGS), and how many were omitted",
    "show_console": "one check of each kind",
    "show_config": "settings",
    "show_keys": "the versions of one key that are good (key_versions)",
    "show_health": "one line of each dependency",
    "open_session": "one session",
    "show_policy": "five levels of 16 KiB",
    "set_policy": "the same",
    "azure_operations": "a fixed list",
    "azure_all_ports": "500 VMs (compatible._MOST), refused beyond",
    "azure_ports_of_vm": "one port",
    "azure_ports_of_instance": "one port",
}
"""Operations whose answers hold a list that ends by itself, and where."""
BYTES = {"read_transcript", "read_boot_log", "read_boot_screenshot"}


def kind(operation: Operation) -> str:
    name = operation.name.removesuffix("_of_instance") if not operation.name.startswith("azure_") else operation.name
    return name.partition("_policy_of_")[0] + "_policy" if "_policy_of_" in name else name


def has_a_list(schema: Any) -> bool:
    if isinstance(schema, dict):
        if "$ref" in schema:
            return has_a_list(SCHEMAS[schema["$ref"].rpartition("/")[2]])
        return schema.get("type") == "array" or any(map(has_a_list, schema.values()))
    return isinstance(schema, list) and any(map(has_a_list, schema))


def is_paged(operation: Operation, schema: Any) -> bool:
    whole = SCHEMAS[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
    return "next" in whole.get("properties", {}) and bool({"cursor", "segment"} & {*operation.description.query})


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_answer_is_bounded_or_comes_in_pages(name: str) -> None:
    operation = OPERATIONS[name]
    for schema in operation.description.answers.values():
        if schema is None or not schema or "json" not in operation.description.media[0]:
            assert schema is None or kind(operation) in BYTES
        elif has_a_list(schema):
            assert is_paged(operation, schema) or kind(operation) in FEW, f"where does the list of {name} end?"


ITEMS = st.lists(st.text("ab\u00e9\U0001f600", max_size=40), unique=True, max_size=40)


@given(ITEMS, st.sampled_from([0, 1, 20, 100, 10_000]), st.data())
def test_pages_one_after_the_other_are_the_list_whatever_comes_and_goes(
    items: list[str], most: int, data: st.DataObject
) -> None:
    """What is there all the time is told once; what is taken out while it is read may be missed."""
    gone = {*data.draw(st.lists(st.sampled_from(items), max_size=5))} if items else set[str]()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("functions.http.paging.PAGE_BYTES", most)
        told, cursor, there = list[str](), None, list(items)
        while True:
            page = page_of(there, lambda each: {"is": each}, lambda each: each, cursor)
            told += [each["is"] for each in page["value"]]
            assert len(page["value"]) > 0 or page["next"] is None or most == 0
            if (cursor := page["next"]) is None or most == 0:
                break
            there = [each for each in items if each not in gone]
    if most:
        assert sorted(told) == told
        assert len({*told}) == len(told)
        assert {*items} - gone <= {*told} <= {*items}


@pytest.fixture
def fakes() -> Iterator[FakeDependencies]:
    made = FakeDependencies()
    wiring.built[STARTER] = made.dependencies
    yield made
    del wiring.built[STARTER]


@pytest.fixture
def archive(monkeypatch: pytest.MonkeyPatch) -> MemoryArchive:
    made = MemoryArchive()
    monkeypatch.setattr(wiring, "archive", lambda: made.archive)
    return made


async def called(work: Work, **query: str) -> func.HttpResponse:
    return await make_trigger("test", work, None)(asked(query), STARTER)


def asked(query: dict[str, str]) -> func.HttpRequest:
    parts = {"subscription": VM.subscription, "group": VM.group, "name": VM.name}
    return func.HttpRequest("GET", "http://app.example/api", params=query, route_params=parts, body=b"")


async def every_page(work: Work, **query: str) -> list[Any]:
    """What all pages hold; each is short enough, and one is not all."""
    found: list[Any] = []
    pages = 0
    while True:
        response = await called(work, **query)
        assert (response.status_code, len(response.get_body()) <= ANSWER_BYTES) == (200, True)
        page = json.loads(response.get_body())
        found += page["value"]
        pages += 1
        if page["next"] is None:
            assert pages > 1
            return found
        query["cursor"] = page["next"]


async def test_many_vms_come_in_pages(fakes: FakeDependencies) -> None:
    vms = [replace(VM, name=f"vm-{number:05d}") for number in range(5000)]
    fakes.vms.vms = {vm.console: replace(machine(), id=vm) for vm in vms}
    assert [each["name"] for each in await every_page(status._list)] == [vm.name for vm in vms]


async def test_many_sessions_come_in_pages(fakes: FakeDependencies) -> None:
    made = [
        Session(f"session-{number:06d}", VM, "t.o", "A" * 200, Mode.WATCH, 0, NOW + number % 7, "r0", state="attached")
        for number in range(5000)
    ]
    fakes.sessions.rows = {each.id: each for each in made}
    assert {each["id"] for each in await every_page(sessions._list)} == {each.id for each in made}


PRINTED = "\u20ac needle \u20ac" + "\u20ac" * 600 + "\n"


async def recorded(archive: MemoryArchive, bodies: list[bytes]) -> None:
    for epoch in range(len(bodies) // 1000 + 1):
        some = bodies[epoch * 1000 : epoch * 1000 + 1000]
        records = [Record(RecordKind.PRINTED, 1 + at, 1_000_000 * (1 + at), body) for at, body in enumerate(some)]
        source = Source(VM.console, f"e{epoch:04d}", "r0")
        await archive_records([Batch(source, tuple(records)).encode()], archive.transcripts, KnownEnds())


@pytest.mark.usefixtures("fakes")
async def test_the_hits_of_a_search_come_in_pages(archive: MemoryArchive) -> None:
    await recorded(archive, [PRINTED.encode()] * 400)
    found = await every_page(transcript_search._search, q="needle", limit="200", context="10")
    assert [each["offset"] for each in found] == [at * len(PRINTED.encode()) for at in range(400)]


@pytest.mark.usefixtures("fakes")
@pytest.mark.parametrize("form", ["raw", "text", "cast", "events"])
async def test_a_piece_of_a_transcript_is_bounded_whatever_was_printed(archive: MemoryArchive, form: str) -> None:
    await recorded(archive, [b"\xff\x00\x1b\n" * 16_000] * 100)
    read = handing_out("read_transcript", transcripts._read)
    response = await read(asked({"format": form, "limit": str(ANSWER_BYTES)}), STARTER)
    assert (response.status_code, 0 < len(response.get_body()) <= ANSWER_BYTES) == (200, form != "events")


@pytest.mark.parametrize("form", ["raw", "text"])
async def test_a_boot_log_is_bounded_whatever_is_in_it(
    fakes: FakeDependencies, archive: MemoryArchive, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    async def log(*asked: Any) -> BootLog:
        return BootLog(b"\xff" * asked[-1], 0)

    assert archive
    monkeypatch.setattr(fakes.boot_logs, "log", log)
    response = await handing_out("read_boot_log", _log)(asked({"format": form, "tail": str(ANSWER_BYTES)}), STARTER)
    assert (response.status_code, ANSWER_BYTES - 3 <= len(response.get_body()) <= ANSWER_BYTES) == (200, True)


@pytest.mark.usefixtures("fakes")
async def test_many_recordings_come_in_pages(archive: MemoryArchive) -> None:
    for number in range(4000):
        records = (
            Record.event(1, 1_000_000, "attach", session="s", user="A" * 200, mode="write"),
            Record.end(2, 2_000_000, "x"),
        )
        source = Source(VM.console, f"e{number:04d}", "r0")
        await archive_records([Batch(source, records).encode()], archive.transcripts, KnownEnds())
    found = await every_page(recordings._list)
    assert [each["id"] for each in found] == [f"e{number:04d}" for number in range(4000)]


@pytest.mark.usefixtures("fakes")
async def test_many_statements_come_in_pages(archive: MemoryArchive) -> None:
    for number in range(6000):
        await archive.ledger.add(HoldPlaced(VM.console, int(NOW) + number, "Ada", "case"))
    assert len(await every_page(verification._checkpoints)) == 6000


@pytest.mark.usefixtures("fakes")
async def test_many_findings_are_counted_and_the_first_are_told(
    archive: MemoryArchive, monkeypatch: pytest.MonkeyPatch
) -> None:
    await recorded(archive, [b"x"])
    made = verify_transcript.verify_part

    async def with_findings(*asked: Any) -> Any:
        part = await made(*asked)
        findings = tuple(Finding(Fault.ALTERED, 0, at, 0, "altered") for at in range(2500))
        return replace(part, report=replace(part.report, findings=findings))

    monkeypatch.setattr(verification, "verify_part", with_findings)
    said = json.loads((await called(verification._verify)).get_body())
    assert (len(said["findings"]), said["omitted"], said["complete"]) == (1000, 1500, False)


def beat(**said: Any) -> func.HttpRequest:
    body = json.dumps({"relay": "r0", **said}).encode()
    return func.HttpRequest("POST", "http://app/api", body=body, headers={"Content-Type": "application/json"})


async def told(**said: Any) -> Any:
    response = await answer("test", beat(**said), STARTER, relays._heartbeat)
    assert (response.status_code, len(response.get_body()) <= ANSWER_BYTES) == (200, True)
    return json.loads(response.get_body())


async def test_a_heartbeat_that_ends_thousands_tells_of_some_and_loses_none(fakes: FakeDependencies) -> None:
    names = [f"s{at:021d}" for at in range(3000)]
    for name in names:
        await fakes.notices.add("r0", Notice(name, Code.SESSION_ENDED, "\U0001f600" * 256, NOW))
    ended = set[str]()
    for _ in range(3):
        left = [name for name in names if name not in ended]
        full = [{"vm": VM.resource_id, "session": name, "generation": 1, "mode": "write"} for name in left[:2000]]
        found = await told(sessions=full, others={"write": " ".join(left[2000:])})
        assert fakes.leases.said["r0"].sessions == {*left}
        ended |= {each["session"] for each in found["end"]}
    assert len(ended) == 3000


async def test_what_is_kept_of_thousands_of_consoles_comes_in_pages(fakes: FakeDependencies) -> None:
    vms = [replace(VM, name=f"vm-{at:05d}") for at in range(400)]
    mask = tuple(f"{at:02d}{'x' * 250}" for at in range(32))
    for vm in vms:
        fakes.policies.put(vm.resource_id, typed=Typing.MASKED, mask=mask)
    live = [
        {"vm": vm.resource_id, "session": f"s{at:021d}", "generation": 1, "mode": "watch"} for at, vm in enumerate(vms)
    ]
    kept, after = list[str](), ""
    while True:
        found = await told(sessions=live, **({"keepAfter": after} if after else {}))
        kept += [VmId.parse(each["vm"]).console for each in found["keep"]]
        if found["keepTo"] is None:
            break
        assert kept[-1] == found["keepTo"] > after
        after = found["keepTo"]
    assert kept == [vm.console for vm in vms]


@pytest.mark.usefixtures("fakes")
async def test_an_answer_that_nobody_cut_is_a_fault_and_not_sent() -> None:
    async def much(_: RequestContext) -> Result:
        return Result({"value": "x" * ANSWER_BYTES})

    async def contents(_: RequestContext) -> Contents:
        return Contents(b"x" * (ANSWER_BYTES + 1), "text/plain")

    for response in (await called(much), await handing_out("test", contents)(asked({}), STARTER)):
        assert (response.status_code, response.headers["x-ms-error-code"]) == (500, "InternalError")
        assert len(response.get_body()) < PAGE_BYTES

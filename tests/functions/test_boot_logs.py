"""GET .../bootLog and .../bootScreenshot with a world of fakes."""

import json
from collections.abc import Iterator
from typing import Any

import azure.functions as func
import pytest

from functions.boot_logs import _QUERY, _log, _screenshot
from functions.http.binary_responses import handing_out
from shared import wiring
from shared.base.refusals import Code, refuse
from tests.contract.memory_archive import MemoryArchive
from tests.fakes import VM, FakeDependencies

STARTER = "boot-logs"


@pytest.fixture(autouse=True)
def fakes(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeDependencies]:
    made = FakeDependencies()
    wiring.built[STARTER] = made.dependencies
    kept = MemoryArchive()
    monkeypatch.setattr(wiring, "archive", lambda: kept.archive)
    yield made
    del wiring.built[STARTER]


async def asked(what: str = "log", **query: str) -> func.HttpResponse:
    route = {"subscription": VM.subscription, "group": VM.group, "name": VM.name}
    request = func.HttpRequest(
        "GET", "http://localhost/api", headers={}, params=query, route_params=route, body=b""
    )  # fmt: skip
    work: Any = handing_out("log", _log, _QUERY) if what == "log" else handing_out("shot", _screenshot, ())
    answer: func.HttpResponse = await work(request, STARTER)
    return answer


async def test_the_log_comes_as_text_that_a_person_reads_or_as_it_is(fakes: FakeDependencies) -> None:
    text = await asked()
    assert (text.status_code, text.mimetype) == (200, "text/plain")
    assert text.get_body() == b"[    0.0] Linux version 6\nlogin: "
    assert (await asked(format="raw")).get_body() == fakes.boot_logs.kept
    tail = await asked(format="raw", tail="6")
    assert tail.get_body() == fakes.boot_logs.kept[-6:]
    assert tail.headers["x-console-offset-start"] == str(len(fakes.boot_logs.kept) - 6)


async def test_the_screenshot_comes_as_the_picture_it_is() -> None:
    shot = await asked("shot")
    assert (shot.mimetype, shot.get_body()) == ("image/bmp", b"BM")


@pytest.mark.parametrize(
    "query", [{"format": "cast"}, {"tail": "0"}, {"tail": "-1"}, {"tail": "1e3"}, {"tail": "9" * 12}, {"more": "1"}]
)
async def test_what_is_not_understood_is_refused(query: dict[str, str]) -> None:
    answer = await asked(**query)
    assert json.loads(answer.get_body())["error"]["code"] == "InvalidRequest"


async def test_a_vm_without_one_says_so(fakes: FakeDependencies) -> None:
    fakes.boot_logs.refusal = refuse(Code.BOOT_LOG_NOT_FOUND)
    for what in ("log", "shot"):
        assert (await asked(what)).status_code == 404

import pytest
from starlette.types import Message, Receive, Scope, Send

from dev.entra.listen import RequestLog

ASKED: Scope = {"type": "http", "method": "GET", "raw_path": b"/a%0Ab", "query_string": b"code=secret"}


async def nothing() -> Message:
    return {"type": "http.request"}


async def test_a_line_is_there_before_its_answer_is(capfd: pytest.CaptureFixture[str]) -> None:
    found = []

    async def answers(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    async def leaves(_: Message) -> None:
        found.append(capfd.readouterr().err)

    await RequestLog(answers, "entra")(ASKED, nothing, leaves)
    assert found == ["entra: GET /a%0Ab 204\n", ""]
    assert capfd.readouterr().err == ""


async def test_what_breaks_before_it_answers_has_a_line_too(capfd: pytest.CaptureFixture[str]) -> None:
    async def breaks(_scope: Scope, _receive: Receive, _send: Send) -> None:
        raise ZeroDivisionError

    async def leaves(_: Message) -> None:
        raise AssertionError

    with pytest.raises(ZeroDivisionError):
        await RequestLog(breaks, "entra")(ASKED, nothing, leaves)
    assert capfd.readouterr().err == "entra: GET /a%0Ab 500\n"

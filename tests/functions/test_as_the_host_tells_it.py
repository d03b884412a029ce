"""What the host makes of a request before a function sees it, and that nothing hangs on what it drops or joins.

Requests here are what host 4.1037 told its worker, 2026-11-28: a body only with a Content-Length above 0, no query
field without a value, whatever is repeated joined by commas.
"""

import json
import logging
from collections.abc import Mapping
from typing import Any

import azure.functions as func
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from functions import approvals, commands, policies, recordings, relays, sessions, vms
from functions.http.pipeline import Work
from functions.http.routes import make_trigger
from shared.access.commands import Command
from shared.session.grant import Mode
from tests.fakes import VM, FakeDependencies
from tests.functions.test_answers import STARTER, error, fakes, sent

__all__ = ["fakes"]
JSON = {"content-type": "application/json"}


def told(
    body: bytes = b"",
    headers: Mapping[str, str] = JSON,
    query: Mapping[str, str] | None = None,
    route: Mapping[str, str] | None = None,
) -> func.HttpRequest:
    parts = {"subscription": VM.subscription, "group": VM.group, "name": VM.name, **(route or {})}
    return func.HttpRequest(
        "POST", "http://app.example/api/x", headers=headers, params=query or {}, route_params=parts, body=body
    )


LOST = {
    "in chunks": JSON | {"transfer-encoding": "chunked"},
    "in chunks, with a length too": JSON | {"transfer-encoding": "chunked", "x-content-length": "3"},
    "in chunks, past something that takes that header away": JSON,
    "in chunks, without a type": {"transfer-encoding": "chunked"},
    "not at all": {},
}
WITH_BODIES: dict[str, Work] = {
    "open": sessions._open,
    "restart": commands._doing(Command.RESTART),
    "sysrq": commands._doing(Command.SYSRQ),
    "ask for approval": approvals._ask,
    "set a policy": policies._set,
    "place a hold": recordings._place,
    "attach": relays._attach,
    "heartbeat": relays._heartbeat,
    "detach": relays._detach,
    "record end": relays._record_end,
}


@pytest.mark.parametrize("how", LOST)
@pytest.mark.parametrize("what", WITH_BODIES)
async def test_a_body_that_was_lost_is_never_taken_for_one_that_says_nothing(
    fakes: FakeDependencies, what: str, how: str
) -> None:
    response = await sent(WITH_BODIES[what], told(headers=LOST[how]))
    assert (response.status_code, error(response)["code"]) == (400, "InvalidRequest")
    assert "Content-Length" in error(response)["message"]
    assert not fakes.consoles.locks


async def test_what_arrives_is_read(fakes: FakeDependencies) -> None:
    response = await sent(sessions._open, told(b'{"mode":"watch"}'))
    assert (response.status_code, json.loads(response.get_body())["mode"]) == (201, Mode.WATCH)
    assert not fakes.consoles.locks


@pytest.mark.usefixtures("fakes")
@pytest.mark.parametrize(
    "media",
    ["application/json; charset=utf-8,text/plain", "application/json,application/json", "text/plain,application/json",
     "application/json, application/json", "application/json;a=b;c=d,x", "", "application/jsonp"],
)  # fmt: skip
async def test_a_body_has_one_type(media: str) -> None:
    response = await sent(sessions._open, told(b"{}", {"content-type": media}))
    assert (response.status_code, error(response)["code"]) == (400, "InvalidRequest")


@pytest.mark.usefixtures("fakes")
@pytest.mark.parametrize("media", ["application/json", "Application/JSON; charset=utf-8", " application/json ;x=y"])
async def test_letter_case_and_parameters_of_the_type_are_free(media: str) -> None:
    assert (await sent(sessions._open, told(b"{}", {"content-type": media}))).status_code == 201


async def test_a_field_without_a_value_is_as_if_it_were_not_there(fakes: FakeDependencies) -> None:
    """Where a newer host, or something else before us, does tell of it, it counts as little."""
    for query in ({}, {"for": ""}, {"unknown": ""}):
        response = await called(vms._show, ("for",), query)
        assert json.loads(response.get_body())["for"] == "write"
    for query in ({}, {"mode": ""}, {"force": ""}):
        response = await called(sessions._open, (), query, b'{"mode":"watch"}')
        assert json.loads(response.get_body())["mode"] == "watch"
    assert not fakes.consoles.locks


@pytest.mark.usefixtures("fakes")
@pytest.mark.parametrize("query", [{"for": "watch,write"}, {"for": "watch,watch"}, {"FOR": "watch"}, {"for": ","}])
async def test_a_field_that_came_twice_is_judged_as_what_it_became(query: dict[str, str]) -> None:
    response = await called(vms._show, ("for",), query)
    assert (response.status_code, error(response)["code"]) == (400, "InvalidRequest")


async def called(work: Work, known: tuple[str, ...], query: dict[str, str], body: bytes = b"") -> func.HttpResponse:
    return await make_trigger("test", work, known)(told(body, query=query), STARTER)


NAMES = st.text("abW09_.-()%/\\ \n\x00\u212a2F5", min_size=1, max_size=12) | st.sampled_from(
    ["web-01", "WEB-01", "web%2D01", "web%2F01", "web%2501", "web-01\n", "web-01\x00", "web-01 ", "web-01."]
)


@settings(derandomize=True, max_examples=150, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(NAMES, st.sampled_from(["subscription", "group", "name", "scale_set"]))
async def test_a_name_is_the_same_in_the_audit_log_and_in_the_locks_key_or_refused(
    fakes: FakeDependencies, name: str, part: str
) -> None:
    fakes.consoles.locks.clear()
    heard = Heard()
    response = await sent(sessions._open, told(b"{}", route={part: name}))
    audited = heard.event()
    if response.status_code == 400:
        assert (audited["outcome"], audited["vm"], fakes.consoles.locks) == ("InvalidRequest", None, {})
    else:
        assert f"/{name}/".lower() in f"{audited['vm']}/".lower()
        assert {*fakes.consoles.locks} <= {audited["vm"].lower()}


class Heard(logging.Handler):
    """The audit log from now on, up to its next event."""

    def __init__(self) -> None:
        super().__init__()
        self._log = logging.getLogger("serial_console.audit")
        self._level = self._log.level
        self._log.setLevel(logging.INFO)
        self._log.addHandler(self)
        self._told: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self._told.append(record.getMessage())

    def event(self) -> dict[str, Any]:
        self._log.removeHandler(self)
        self._log.setLevel(self._level)
        (line,) = self._told
        said: dict[str, Any] = json.loads(line)
        return said

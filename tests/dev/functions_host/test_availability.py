"""Requests that come before the app is loaded."""

import asyncio

from dev.functions_host.availability import Availability
from dev.functions_host.http_answer import Answer
from dev.functions_host.http_head import Head
from dev.functions_host.http_server import Request

REQUEST = Request(Head("GET", "/", is_old=False, headers={}), None, is_too_large=False, peer=("127.0.0.1", 1))


async def site(_: Request) -> Answer:
    return Answer(200)


async def test_a_request_waits_for_the_app_and_is_answered_by_it() -> None:
    availability = Availability()
    waiting = asyncio.create_task(availability.answer(REQUEST))
    await asyncio.sleep(0)
    assert not waiting.done()
    availability.begin(site)
    assert (await waiting).status == 200


async def test_after_half_a_minute_it_is_told_that_the_host_is_not_running() -> None:
    availability = Availability(wait=0.01)
    answer = await availability.answer(REQUEST)
    assert (answer.status, answer.body, answer.headers) == (503, b"Function host is not running.", [])
    availability.begin(site)
    assert (await availability.answer(REQUEST)).status == 200

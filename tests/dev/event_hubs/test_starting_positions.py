"""Where a reader starts: the filters that the SDK sends."""

import asyncio
from datetime import datetime

import pytest
import pytest_asyncio

from tests.dev.event_hubs.stand_in import Lane

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(loop_scope="session")
async def five(lane: Lane) -> Lane:
    await lane.send("0", "1", "2", "3", "4")
    return lane


async def test_from_the_beginning(five: Lane):
    assert await five.bodies(5, starting_position="-1") == ["0", "1", "2", "3", "4"]


async def test_after_a_sequence_number(five: Lane):
    assert await five.bodies(2, starting_position=2) == ["3", "4"]


async def test_at_a_sequence_number(five: Lane):
    assert await five.bodies(3, starting_position=2, starting_position_inclusive=True) == ["2", "3", "4"]


async def test_after_and_at_an_offset(five: Lane):
    offset = (await five.read(5))[2].offset
    assert await five.bodies(2, starting_position=offset) == ["3", "4"]
    assert await five.bodies(3, starting_position=offset, starting_position_inclusive=True) == ["2", "3", "4"]


async def test_after_a_time(five: Lane):
    last: datetime = (await five.read(5))[-1].enqueued_time
    while datetime.now(last.tzinfo).timestamp() - last.timestamp() < 0.002:  # times are whole milliseconds
        await asyncio.sleep(0.001)
    await five.send("later")
    assert await five.bodies(1, starting_position=last) == ["later"]


async def test_only_what_is_new(five: Lane):
    async with five.reading(starting_position="@latest") as reading:
        await five.until_read()
        await five.send("new")
        assert [event.body_as_str() for event in await reading.wait_for(1)] == ["new"]

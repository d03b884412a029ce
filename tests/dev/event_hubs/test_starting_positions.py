"""Where a reader starts: the filters that the SDK sends."""

from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio

from tests.dev.event_hubs.stand_in import Lane, until

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(loop_scope="session")
async def five(lane: Lane) -> Lane:
    await lane.send("0", "1", "2", "3", "4")
    return lane


async def test_from_the_beginning(five: Lane) -> None:
    assert await five.bodies(5, starting_position="-1") == ["0", "1", "2", "3", "4"]


async def test_after_a_sequence_number(five: Lane) -> None:
    assert await five.bodies(2, starting_position=2) == ["3", "4"]


async def test_at_a_sequence_number(five: Lane) -> None:
    assert await five.bodies(3, starting_position=2, starting_position_inclusive=True) == ["2", "3", "4"]


async def test_after_and_at_an_offset(five: Lane) -> None:
    offset = (await five.read(5))[2].offset
    assert await five.bodies(2, starting_position=offset) == ["3", "4"]
    assert await five.bodies(3, starting_position=offset, starting_position_inclusive=True) == ["2", "3", "4"]


async def test_after_a_time(five: Lane) -> None:
    last = (await five.read(5))[-1].enqueued_time
    assert last
    await until(lambda: datetime.now(UTC) - last > timedelta(milliseconds=2))  # stamps are whole milliseconds
    await five.send("later")
    assert await five.bodies(1, starting_position=last) == ["later"]


async def test_only_what_is_new(five: Lane) -> None:
    async with five.reading(starting_position="@latest") as reading:
        await five.until_read()
        await five.send("new")
        assert [event.body_as_str() for event in await reading.wait_for(1)] == ["new"]

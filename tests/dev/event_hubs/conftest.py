from collections.abc import AsyncIterator
from itertools import count
from pathlib import Path

import pytest_asyncio

from tests.dev.event_hubs.stand_in import Lane, StandIn, opened

PARTITIONS = count()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def shared() -> AsyncIterator[tuple[Lane, list[Lane]]]:
    """In memory, for all tests that leave it as they found it; and the lanes to close at the end."""
    async with opened(StandIn(partitions=40)) as lane:
        lanes: list[Lane] = []
        yield lane, lanes
        for one in lanes:
            await one.close()


@pytest_asyncio.fixture(loop_scope="session")
async def lane(shared: tuple[Lane, list[Lane]]) -> Lane:
    """Hand out a partition that nobody has used."""
    first, lanes = shared
    lanes.append(Lane(first.stand_in, first.producer, str(next(PARTITIONS))))
    return lanes[-1]


@pytest_asyncio.fixture(loop_scope="session")
async def own() -> AsyncIterator[Lane]:
    """In memory, for one test."""
    async with opened(StandIn()) as lane:
        yield lane


@pytest_asyncio.fixture(loop_scope="session")
async def on_disk(tmp_path: Path) -> AsyncIterator[Lane]:
    """Start one whose log files are 4 KiB and kept to about 16 KiB."""
    sizes = ("--segment-bytes", "4096", "--retention-bytes", "16384")
    async with opened(StandIn(tmp_path / "data", sizes)) as lane:
        yield lane

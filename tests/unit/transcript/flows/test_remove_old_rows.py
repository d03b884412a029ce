"""Upkeep of the tables: bounded, page by page, and one kind that fails keeps no other."""

from collections import defaultdict
from dataclasses import dataclass, field

import pytest

from shared.base.ports import Dependency, Unavailable
from shared.transcript.flows.remove_old_rows import RUN_SECONDS, remove_old_rows
from shared.transcript.old_rows import Rows
from shared.transcript.ports import RemovedRows
from tests.fakes import FakeClock

LIMITS = {Rows.USED_TOKENS: 10.0, Rows.READS: 5.0}


@dataclass
class Pages:
    """Rows of each page, by kind; a page takes `seconds`."""

    clock: FakeClock
    pages: dict[Rows, list[int]]
    seconds: float = 1.0
    fail: set[Rows] = field(default_factory=set[Rows])
    asked: dict[Rows, list[float]] = field(default_factory=lambda: defaultdict(list))

    async def remove(self, rows: Rows, before: float) -> RemovedRows:
        self.asked[rows].append(before)
        self.clock.time += self.seconds
        if rows in self.fail:
            raise Unavailable(Dependency.STORAGE_TABLES, "away")
        return RemovedRows(self.pages[rows].pop(0), not self.pages[rows])


@pytest.fixture
def pages() -> Pages:
    return Pages(FakeClock(), {Rows.USED_TOKENS: [3, 0, 2], Rows.READS: [1]})


async def test_each_kind_is_gone_through_to_its_end(pages: Pages) -> None:
    done = await remove_old_rows(pages, pages.clock, LIMITS)
    assert (done.removed, done.left) == ({Rows.USED_TOKENS: 5, Rows.READS: 1}, set())
    assert pages.asked == {Rows.USED_TOKENS: [10.0] * 3, Rows.READS: [5.0]}


async def test_a_run_ends_in_time_and_says_what_is_left(pages: Pages) -> None:
    pages.seconds = RUN_SECONDS / 2
    done = await remove_old_rows(pages, pages.clock, LIMITS)
    assert (done.removed, done.left) == ({Rows.USED_TOKENS: 3, Rows.READS: 1}, {Rows.USED_TOKENS})
    assert (await remove_old_rows(pages, pages.clock, {Rows.USED_TOKENS: 10.0})).left == set()


async def test_a_kind_that_cannot_be_read_is_left_and_the_others_go_on(pages: Pages) -> None:
    pages.fail = {Rows.USED_TOKENS}
    done = await remove_old_rows(pages, pages.clock, LIMITS)
    assert (done.removed, done.left) == ({Rows.READS: 1}, {Rows.USED_TOKENS})
    assert len(pages.asked[Rows.USED_TOKENS]) == 1

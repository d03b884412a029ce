"""Two instances of the whole function app on one task hub, each with an engine and a worker of its own; one is killed.

Partitions of the task hub are leased to an instance: when that is killed, the locks in them are away for half a
minute, and the other instance goes on taking requests for all of them (docs/fidelity.md, "Durable functions").
"""

import os
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from azure.core.exceptions import ResourceNotFoundError
from azure.data.tables import TableServiceClient

from dev.arm.throttle import Throttle
from dev.parts import engine
from dev.stack import ROOT
from tests.dev.functions_host.host_process import running, until
from tests.functions.control_plane import ControlPlane, control_plane
from tests.functions.crowd import Crowd, faults
from tests.host_parts import needs_host_parts

pytestmark = [
    needs_host_parts,
    pytest.mark.skipif(os.geteuid() != 0, reason="not root: two engines of one machine cannot have two host names"),
]
CONSOLES = tuple(f"many-{number}" for number in range(8))
PEOPLE = 6
BEFORE_SECONDS, AFTER_SECONDS = 5.0, 5.0
"""How long they work before the kill, and after the other instance is there again."""


@contextmanager
def two_instances(home: Path) -> Iterator[tuple[ControlPlane, ControlPlane]]:
    with control_plane(home) as first, running(ROOT, first.settings, engine()) as other:
        first.world.throttle = Throttle(None)
        unit = first.world.units["web-01"]
        first.world.units |= {name: replace(unit, vm=replace(unit.vm, name=name)) for name in CONSOLES}
        until(lambda: len(owners(first.storage)) == 2)  # each has some of the partitions
        yield first, replace(first, host=other)


def owners(storage: str) -> set[str]:
    """Host names that hold partitions of the task hub."""
    with TableServiceClient.from_connection_string(storage) as tables:
        try:
            rows = list(tables.get_table_client("serialconsolePartitions").list_entities())
        except ResourceNotFoundError:
            return set()
    return {row["CurrentOwner"] for row in rows if row.get("CurrentOwner")}


def test_whoever_is_killed_one_person_at_most_may_write_and_everybody_gets_their_console(tmp_path: Path) -> None:
    with two_instances(tmp_path) as (first, second), ExitStack() as later, ThreadPoolExecutor(PEOPLE + 1) as people:
        crowd = Crowd([first, second], CONSOLES, seed="two instances")
        end = threading.Event()
        work = [people.submit(crowd.run, number, end) for number in range(PEOPLE)]
        work.append(people.submit(crowd.beat, end))
        try:
            time.sleep(BEFORE_SECONDS)
            second.host.process.send_signal(signal.SIGKILL)
            third = replace(first, host=later.enter_context(running(ROOT, first.settings, engine())))
            crowd.instances = [first, third]
            there = time.monotonic()
            until(lambda: crowd.granted(there) == set(CONSOLES))
            time.sleep(AFTER_SECONDS)
        finally:
            end.set()
        for each in work:
            each.result()
        found = faults(crowd)
        assert not found, "\n".join(found)
        assert crowd.lost, "the kill was felt"
        assert crowd.endings, "somebody was displaced, and the relay was told"

"""Events outlive the process, whatever ended it, and take a bounded place on disk."""

import resource
import signal

import pytest
from azure.eventhub.exceptions import EventHubError

from tests.dev.event_hubs.stand_in import Lane

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),  # the SDK forgets the socket of a broken connection
]


async def test_sequence_numbers_go_on_after_a_restart(on_disk: Lane) -> None:
    await on_disk.send("0", "1")
    assert on_disk.stand_in.stop() == 0
    on_disk.stand_in.start()
    await on_disk.send("2")
    events = await on_disk.read(3)
    assert [(event.sequence_number, event.body_as_str()) for event in events] == [(0, "0"), (1, "1"), (2, "2")]


async def test_a_tail_torn_by_a_kill_is_repaired(on_disk: Lane) -> None:
    await on_disk.send("kept", "torn")
    on_disk.stand_in.stop(signal.SIGKILL)
    (file,) = on_disk.log_files
    file.write_bytes(file.read_bytes()[:-1])
    on_disk.stand_in.start()
    await on_disk.send("next")
    events = await on_disk.read(2)
    assert [(event.sequence_number, event.body_as_str()) for event in events] == [(0, "kept"), (1, "next")]


async def test_files_roll_and_the_oldest_go(on_disk: Lane) -> None:
    for number in range(40):
        await on_disk.send(str(number).ljust(1000))
    state = on_disk.state
    assert state["last"] == 39
    assert 16384 <= state["log"]["bytes"] < 16384 + 2 * 4096
    assert len(on_disk.log_files) == state["log"]["segments"] > 3
    assert sum(file.stat().st_size for file in on_disk.log_files) == state["log"]["bytes"]
    on_disk.stand_in.restart()
    assert on_disk.state == state
    events = await on_disk.read(40 - state["begin"])
    assert [event.sequence_number for event in events] == list(range(state["begin"], 40))


async def test_a_full_disk_refuses_the_send_and_keeps_the_log_whole(on_disk: Lane) -> None:
    await on_disk.send("first")
    (file,) = on_disk.log_files
    size = file.stat().st_size
    process = on_disk.stand_in.process.pid
    _, most = resource.prlimit(process, resource.RLIMIT_FSIZE)
    resource.prlimit(
        process, resource.RLIMIT_FSIZE, (size + 100, most)
    )  # a write that stops half-way, as on a full disk
    with pytest.raises(EventHubError, match="server-busy"):
        await on_disk.send("too much".ljust(500))
    assert file.stat().st_size == size
    assert on_disk.state["last"] == 0
    resource.prlimit(process, resource.RLIMIT_FSIZE, (most, most))
    await on_disk.send("again")
    on_disk.stand_in.restart(signal.SIGKILL)
    assert await on_disk.bodies(2) == ["first", "again"]

"""Whom one asks about a recording without an end: the table of relays' lives, and a relay only where that is silent."""

from shared.base.archive_progress import RecordedLast
from shared.base.ports import Dependency, Unavailable
from shared.session.lock import Lease
from shared.transcript.flows.list_unended import list_unended, show_unended_by_heartbeats
from shared.transcript.recording_state import SILENT_SECONDS, RecordingState, Unended
from shared.transcript.recordings import Recording
from tests.fakes import NOW, RELAY, VM, FakeLeases, FakeRelays

RUNNING, INTERRUPTED = RecordingState.RUNNING, RecordingState.INTERRUPTED
QUIET = NOW - SILENT_SECONDS - 1


def one(epoch: str = "e1", *, last: float = QUIET, relay: str = RELAY.name) -> Unended:
    return Unended(Recording(epoch, 0, 0, 0, int(last * 1e6), 0, 0, relay=relay), followed=False)


async def shown(each: Unended, leases: FakeLeases, relays: FakeRelays) -> RecordingState:
    return (await list_unended([each], VM, leases, relays, NOW))[each.recording.id].state


async def test_the_relay_of_the_vm_says_whether_it_has_it_still() -> None:
    relays = FakeRelays(last=RecordedLast("e1", 9, NOW))
    assert await shown(one(), FakeLeases(), relays) is RUNNING
    relays.last = RecordedLast("e2", 1, NOW)
    assert await shown(one(), FakeLeases({RELAY.name: Lease(NOW, frozenset())}), relays) is INTERRUPTED
    relays.last = None
    assert await shown(one(relay=""), FakeLeases(), relays) is INTERRUPTED


async def test_where_it_does_not_answer_its_heartbeat_counts() -> None:
    relays = FakeRelays(fail=Unavailable(Dependency.RELAY, "away"))
    assert await shown(one(), FakeLeases({RELAY.name: Lease(NOW, frozenset())}), relays) is RUNNING
    assert await shown(one(), FakeLeases(), relays) is INTERRUPTED


async def test_a_relay_that_the_vm_has_left_is_known_by_its_heartbeat_alone() -> None:
    relays = FakeRelays(last=RecordedLast("e9", 1, NOW))
    assert await shown(one(relay="old"), FakeLeases({"old": Lease(NOW, frozenset())}), relays) is RUNNING
    assert await shown(one(relay="old"), FakeLeases(), relays) is INTERRUPTED


async def test_of_a_young_record_no_relay_is_asked() -> None:
    relays = FakeRelays(fail=AssertionError("it was asked"))
    assert await shown(one(last=NOW), FakeLeases(), relays) is RUNNING


async def test_upkeep_goes_by_heartbeats() -> None:
    leases = FakeLeases({"r1": Lease(NOW, frozenset())})
    asked = [one("e1", relay="r1"), one("e2", relay="r2")]
    found = await show_unended_by_heartbeats(asked, leases, NOW)
    assert {epoch: each.state for epoch, each in found.items()} == {"e1": RUNNING, "e2": INTERRUPTED}

"""The judge of a campaign: it must find what is missing, repeated, altered, or shown and not recorded."""

from collections.abc import Sequence

import pytest

from dev.chaos.check import check, differences, is_kept
from dev.chaos.generator import LINE, line
from dev.chaos.viewer import Run
from shared.base.record import Record, RecordKind
from tests.contract.memory_transcripts import MemoryTranscripts
from tests.unit.transcript.flows.archived import archived, batch, segments

WITNESS = b"".join(line("seed", number) for number in range(30))


async def written(*epochs: tuple[str, bytes]) -> list[bytes]:
    """Segments as the archiver writes them."""
    transcripts = MemoryTranscripts()
    for epoch, body in epochs:
        said = Record.event(1, 1, "port-open")
        await archived(transcripts, [batch(said, Record(RecordKind.PRINTED, 2, 2, body), epoch=epoch)])
    return segments(transcripts)


def test_no_two_lines_are_equal_and_all_have_one_length() -> None:
    lines = {line("seed", number) for number in range(100)} | {line("other", number) for number in range(100)}
    assert {len(each) for each in lines} == {LINE}
    assert len(lines) == 200


async def test_a_transcript_of_all_that_was_handed_over_has_no_fault() -> None:
    there = await written(("a", WITNESS[:700]), ("b", WITNESS[700:]))
    parts = [[0, 700], [700, 700], [700, len(WITNESS)]]
    seen = [Run("a", 0, bytearray(WITNESS[:500])), Run("b", 10, bytearray(WITNESS[710:800]))]
    found = check(WITNESS, parts, {}, there, seen)
    assert (found.faults, found.lost) == ([], {})
    assert (found.recorded, found.shown, found.epochs, found.connections) == (len(WITNESS), 590, 2, 3)


async def test_what_a_cut_wire_lost_is_counted_and_without_such_an_act_is_a_fault() -> None:
    there = await written(("a", WITNESS[:600]), ("b", WITNESS[700:]))
    parts = [[0, 700], [700, len(WITNESS)]]
    assert check(WITNESS, parts, {0: "wire cut"}, there, []).lost == {"wire cut": [100]}
    assert check(WITNESS, parts, {0: "wire cut"}, there, []).faults == []
    (fault,) = check(WITNESS, parts, {1: "wire cut"}, there, []).faults
    assert fault == "connection 0: 100 bytes were handed over and are in no record"


@pytest.mark.parametrize(
    "epochs",
    [
        [("a", WITNESS[:700]), ("b", WITNESS[650:])],
        [("a", WITNESS[:700]), ("b", WITNESS[701:])],
        [("a", WITNESS[:700] + b"!"), ("b", WITNESS[700:])],
        [("a", WITNESS[:300] + b"?" + WITNESS[301:700]), ("b", WITNESS[700:])],
        [("a", WITNESS[700:]), ("b", WITNESS[:700])],
        [("a", WITNESS[:700]), ("b", WITNESS[700:]), ("c", WITNESS[700:])],
    ],
    ids=["repeated", "skipped", "added", "altered", "exchanged", "twice"],
)
async def test_an_epoch_that_is_not_the_beginning_of_its_part_is_a_fault(epochs: Sequence[tuple[str, bytes]]) -> None:
    everything_excused = {0: "relay killed", 1: "relay killed"}
    parts = [[0, 700], [700, len(WITNESS)]]
    assert check(WITNESS, parts, everything_excused, await written(*epochs), []).faults


async def test_what_was_shown_and_is_not_recorded_is_a_fault() -> None:
    there = await written(("a", WITNESS[:600]))
    parts, excused = [[0, 700]], {0: "relay killed"}
    assert check(WITNESS, parts, excused, there, [Run("a", 0, bytearray(WITNESS[:601]))]).faults
    assert check(WITNESS, parts, excused, there, [Run("b", 0, bytearray(WITNESS[:6]))]).faults
    assert not check(WITNESS, parts, excused, there, [Run("a", 0, bytearray(WITNESS[:600]))]).faults


@pytest.mark.parametrize(
    ("epoch", "body", "kept"), [("a", b"lines", True), ("a", b"other", False), ("b", b"lines", False)]
)
def test_a_batch_that_was_set_aside_is_no_loss_where_its_epoch_has_it(epoch: str, body: bytes, *, kept: bool) -> None:
    assert is_kept(batch(Record(RecordKind.PRINTED, 3, 3, body), epoch=epoch), {"a": b"some lines more"}) is kept


def test_the_first_difference_is_found() -> None:
    assert list(differences(b"abc", b"abc")) == []
    assert list(differences(b"abc", b"abd")) == [2]
    assert list(differences(b"abc", b"ab")) == [2]

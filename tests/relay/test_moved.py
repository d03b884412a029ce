"""A VM that moves between two relays, each with a memory and a disk of its own, in front of one archive."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from relay.console import serial_connection
from relay.recording.epochs import SpooledEpochs
from shared.access.recording_settings import BY_RULE, RecordingSettings
from shared.base.record import Record, RecordKind, Source, encode_batch
from shared.base.record_end import RecordEnd
from shared.base.vm import VmId
from shared.transcript.flows.archive_records import KnownEnds, archive_records
from shared.transcript.flows.read_transcript import read_bytes
from tests.contract.memory_transcripts import MemoryTranscripts
from tests.relay.stage import VM, Clock, ControlPlane, Stage, staged
from tests.relay.test_replay import BOOT, Replaying
from tests.relay.test_tails import Hub, quiet


class Archive(Hub):
    """A hub whose records are archived as they come."""

    def __init__(self) -> None:
        super().__init__()
        self.transcripts, self.tails = MemoryTranscripts(), KnownEnds()

    async def send(self, source: Source, records: Sequence[bytes]) -> None:
        await archive_records([encode_batch(source, records)], self.transcripts, self.tails)
        await super().send(source, records)

    async def printed_bytes(self) -> bytes:
        return (await read_bytes(self.transcripts, VM.console, 0, 1 << 20)).content

    @property
    def ended(self) -> int:
        """Epochs whose last record is here."""
        return sum(b'"event":"end"' in record.body for record in self.records.values())


@dataclass
class Site:
    archive: Archive
    ports: Replaying
    relays: list[Stage]

    async def comes(self, relay: int, keeping: RecordingSettings = BY_RULE) -> Any:
        stage = self.relays[relay]
        stage.control_plane.keeping = keeping
        return await stage.comes("ada", generation=len(self.ports.opened) + 1)

    async def leaves(self, relay: int, client: Any) -> None:
        """The port is closed behind them, and all is archived."""
        stage = self.relays[relay]
        await client.leave()
        await stage.until(lambda: stage.relay.runners[VM.console]._console.viewers == {})
        stage.passes(30)
        stage.passes(30)
        await stage.until(lambda: self.archive.ended == len(self.ports.opened))
        stage.passes(1)
        assert not stage.relay.runners

    async def visits(self, relay: int) -> None:
        await self.leaves(relay, await self.comes(relay))


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    archive, ports = Archive(), Replaying()
    async with AsyncExitStack() as stack:
        relays: list[Stage] = []
        for name in ("first", "second"):
            plane = ControlPlane()
            plane.transcripts = archive.transcripts
            epochs = SpooledEpochs(tmp_path / name, 1 << 30, archive, Clock(), quiet)
            relays.append(await stack.enter_async_context(staged(ports=ports, control_plane=plane, epochs=epochs)))
        yield Site(archive, ports, relays)


async def test_a_console_opened_ten_times_over_two_relays_adds_no_printed_byte(site: Site) -> None:
    site.ports.prints(BOOT)
    for number in range(10):
        await site.visits(number % 2)
    assert await site.archive.printed_bytes() == BOOT
    first, *later = site.archive.replayed()
    assert (first["found"], first["after"], first["archiveKnown"]) == (False, None, True)
    assert {(each["found"], each["length"], each["before"]) for each in later} == {(True, len(BOOT), 0)}
    assert len({each["after"] for each in later}) == 1


async def test_what_is_printed_while_a_vm_moves_to_and_fro_is_recorded_once(site: Site) -> None:
    site.ports.prints(BOOT)
    for number in range(6):
        client = await site.comes(number % 2)
        site.ports.prints(b"%d is here\r\n" % number)
        await client.sees(b"%d is here\r\n" % number)
        await site.leaves(number % 2, client)
        site.ports.log += b"printed after %d to nobody\r\n" % number
    await site.visits(1)
    await site.visits(0)
    assert await site.archive.printed_bytes() == site.ports.log


async def test_where_the_archive_does_not_answer_all_is_recorded_and_marked(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.ports.prints(BOOT)
    for relay in (0, 1):
        await site.visits(relay)
        site.ports.log += b"printed after %d to nobody\r\n" % relay
    hangs = asyncio.Event()

    async def hanging(vm: VmId) -> RecordEnd:
        await hangs.wait()
        raise AssertionError

    monkeypatch.setattr(serial_connection, "RECORD_END_SECONDS", 0.01)
    monkeypatch.setattr(site.relays[0].control_plane, "record_end", hanging)
    await site.visits(0)
    assert await site.archive.printed_bytes() == BOOT + b"printed after 0 to nobody\r\n" + site.ports.log[len(BOOT) :]
    first, second, third = site.archive.replayed()
    assert (third["archiveKnown"], third["before"]) == (False, len(site.ports.log) - len(BOOT))
    assert third["after"] == second["after"], "so the second epoch lies between, and may say the same"
    assert first["archiveKnown"]
    assert [line["error"] for line in site.relays[0].log if line["event"] == "record-end-unknown"] == ["TimeoutError"]


async def test_a_relay_that_lost_its_disk_records_nothing_twice(site: Site, tmp_path: Path) -> None:
    site.ports.prints(BOOT)
    await site.visits(0)
    plane = ControlPlane()
    plane.transcripts = site.archive.transcripts
    epochs = SpooledEpochs(tmp_path / "new", 1 << 30, site.archive, Clock(), quiet)
    async with staged(ports=site.ports, control_plane=plane, epochs=epochs) as stage:
        site.relays.append(stage)
        site.ports.log += b"printed to nobody\r\n"
        await site.visits(2)
    assert await site.archive.printed_bytes() == site.ports.log


async def test_a_secret_around_a_move_is_masked(site: Site) -> None:
    pins = RecordingSettings(mask=(r"(?<=pin )\d{4}",))
    site.ports.prints(BOOT + b"\r\n")
    await site.leaves(1, await site.comes(1, pins))
    client = await site.comes(0, pins)
    site.ports.prints(b"a line\r\npin ")
    await client.sees(b"pin ")
    await site.leaves(0, client)
    site.ports.log += b"1234\r\nand more\r\n"
    await site.leaves(1, await site.comes(1, pins))
    printed = await site.archive.printed_bytes()
    assert b"1234" not in printed
    assert printed.endswith(b"pin ****\r\nand more\r\n")


async def test_an_epoch_of_the_future_says_nothing_of_how_the_record_ends(site: Site) -> None:
    """A relay whose clock was ahead, or that lies: what this relay remembers goes on to count."""
    site.ports.prints(BOOT)
    await site.visits(0)
    lie = Record(RecordKind.PRINTED, 1, 1, b"what nobody printed, said by somebody")
    source = Source(VM.console, "f" * 16 + "-00000000", "third")
    await archive_records([encode_batch(source, [lie.encode()])], site.archive.transcripts, site.archive.tails)
    await site.visits(0)
    _, last = site.archive.replayed()
    assert (last["found"], last["archiveKnown"], last["before"]) == (True, False, 0)

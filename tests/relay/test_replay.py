"""A gateway that replays the end of what the VM has printed to each connection, at a real relay."""

import asyncio
import hashlib
from base64 import b64decode
from collections.abc import AsyncIterator
from functools import partial
from random import Random
from typing import Any

import pytest

from relay.console.output_coalescer import EARLY_BYTES, OpeningWaits
from shared.access.recording_settings import RecordingSettings
from shared.base.record_end import TAIL_BYTES
from shared.base.refusals import Refusal
from shared.base.vm import VmId
from shared.console.ports import PortListener, SerialPort
from shared.console.replay import PROOF
from shared.session.grant import Mode
from tests.relay.public_clients import ClientToday
from tests.relay.stage import VM, Client, Ports, Stage, staged

BOOT = b"".join(b"[%5d] line of a boot\r\n" % number for number in range(40)) + b"web-01 login: "


class Replaying(Ports):
    """A VM that prints whether or not somebody is connected, behind a gateway with a ring."""

    def __init__(self, ring: int = 4096) -> None:
        super().__init__()
        self.ring, self.log = ring, b""
        self.says_before = b""
        self.pieces: list[bytes] | None = None
        """How a replay comes where it comes after the opening."""
        self.echo = False

    async def open(self, vm: VmId, listener: PortListener) -> SerialPort | Refusal:
        burst = self.says_before + self.log[-self.ring :]
        if self.pieces is None and burst:
            listener.printed(burst)
        for number, piece in enumerate(self.pieces or ()):
            asyncio.get_running_loop().call_later(0.01 * number, listener.printed, piece)
        return await super().open(vm, listener)

    def prints(self, data: bytes) -> None:
        self.log += data
        if self.opened and not self.last.closed:
            self.last.listener.printed(data)

    def lose(self) -> None:
        self.last.closed = True
        self.last.listener.lost(False, "reset")  # noqa: FBT003 - shared.console.ports.PortListener's words


@pytest.fixture
async def ports() -> Replaying:
    return Replaying()


@pytest.fixture
async def stage(ports: Replaying) -> AsyncIterator[Stage]:
    async with staged(ports=ports) as on_it:
        yield on_it


def address(stage: Stage) -> str:
    return f"ws://127.0.0.1:{stage.port}/n/connector/r0/sessions/ada/client"


def masked(data: bytes) -> bytes:
    """A replay may begin inside a secret: the rest of its first line is not kept where policies mask."""
    return b"*" * data.index(b"\r") + data[data.index(b"\r") :]


def replayed(stage: Stage) -> list[dict[str, Any]]:
    return [said for said in stage.epochs.said() if said["event"] == "replayed"]


async def visits(stage: Stage, generation: int = 1, mode: Mode = Mode.WRITE) -> Client:
    """Comes and goes; the port is closed behind the visitor, and the console forgotten."""
    client = await stage.comes(f"s{generation}", mode, generation)
    await leaves(stage, client)
    return client


async def leaves(stage: Stage, client: Client) -> None:
    await client.leave()
    await stage.until(lambda: stage.relay.runners[VM.console]._console.viewers == {})
    stage.passes(30)
    stage.passes(30)
    await stage.until(lambda: stage.epochs.notes()[-1] == "end")
    stage.passes(1)
    assert not stage.relay.runners


async def test_a_console_opened_ten_times_on_a_silent_vm_adds_no_printed_byte(stage: Stage, ports: Replaying) -> None:
    ports.prints(BOOT)
    for generation in range(1, 11):
        await visits(stage, generation)
    assert stage.epochs.printed() == BOOT
    assert len(stage.epochs.records) == 10
    first, *later = replayed(stage)
    assert (first["length"], first["before"], first["found"]) == (0, len(BOOT), False)
    digest = hashlib.sha256(BOOT).hexdigest()
    assert {(each["length"], each["compared"], each["hash"], each["before"]) for each in later} == {
        (len(BOOT), len(BOOT), digest, 0)
    }


async def test_what_is_printed_to_nobody_is_recorded_once_and_marked(stage: Stage, ports: Replaying) -> None:
    ports.prints(BOOT)
    await visits(stage)
    ports.prints(b"printed to nobody\r\n")
    ada = await stage.comes("ada", generation=2)
    ports.prints(b"printed to ada\r\n")
    await ada.sees(b"printed to ada\r\n")
    assert stage.epochs.printed() == BOOT + b"printed to nobody\r\nprinted to ada\r\n"
    assert replayed(stage)[-1]["before"] == len(b"printed to nobody\r\n")
    assert replayed(stage)[-1]["found"]
    assert ada.bytes == b"printed to nobody\r\nprinted to ada\r\n"


async def test_who_comes_anew_sees_how_it_was_before(stage: Stage, ports: Replaying) -> None:
    ports.prints(BOOT)
    await visits(stage)
    ports.prints(b"meanwhile")
    ada = await stage.comes("ada", generation=2)
    await ada.sees(b"meanwhile")
    (before,) = [text for text in ada.texts if text["type"] == "before"]
    assert b64decode(before["data"]) == BOOT
    assert ada.bytes == b"meanwhile", "and once"
    assert stage.epochs.printed() == BOOT + b"meanwhile"


async def test_a_client_of_azures_own_console_sees_it_before_the_rest(ports: Replaying) -> None:
    async with staged(ports=ports) as stage:
        ports.prints(BOOT)
        await visits(stage)
        ports.prints(b"meanwhile")
        async with ClientToday(address(stage), stage.token(generation=2)) as client:
            await client.sees(BOOT + b"meanwhile")
            assert client.shown == BOOT + b"meanwhile"


async def test_who_stays_while_a_port_is_dialled_again_sees_nothing_twice(stage: Stage, ports: Replaying) -> None:
    ports.prints(BOOT)
    ada = await stage.comes("ada")
    await ada.sees(BOOT)
    ports.lose()
    ports.log += b"printed meanwhile\r\n"
    stage.passes(1)
    await ada.sees(BOOT + b"printed meanwhile\r\n")
    assert ada.bytes == BOOT + b"printed meanwhile\r\n" == stage.epochs.printed()


async def test_a_replay_that_comes_in_pieces_after_the_opening_is_waited_for(ports: Replaying) -> None:
    async with staged(ports=ports, waits=OpeningWaits(5, 0.5, 5)) as stage:
        ports.prints(BOOT)
        await visits(stage)
        ports.prints("grün".encode())
        whole = BOOT + "grün".encode()
        cut = len(whole) - 2
        ports.pieces = [whole[:7], whole[7:cut], whole[cut:]]
        ada = await stage.comes("ada", generation=2)
        await ada.sees("grün".encode())
        assert stage.epochs.printed() == whole
        assert replayed(stage)[-1]["before"] == len("grün".encode())


async def test_nobody_types_before_it_is_known_what_is_replayed(ports: Replaying) -> None:
    async with staged(ports=ports, waits=OpeningWaits(5, 0.5, 5)) as stage:
        ports.prints(BOOT)
        ports.pieces = [b"", BOOT]
        dialling = asyncio.create_task(stage.dial(stage.token("ada")))
        await stage.until(lambda: ports.dials)
        assert not dialling.done()
        await (await dialling).heard("hello")
        assert stage.epochs.printed() == BOOT


async def test_a_vm_that_never_rests_is_waited_for_only_so_long(ports: Replaying) -> None:
    async with staged(ports=ports, waits=OpeningWaits(5, 5, 0.05)) as stage:
        ports.pieces = [b"dot " * 10 for _ in range(100)]
        ada = await stage.comes("ada")
        await stage.until(lambda: stage.epochs.printed() == b"dot " * 1000)
        await ada.sees(b"dot " * 1000)
        assert replayed(stage)[0]["before"] < 4000


async def test_a_port_that_is_lost_at_once_is_recorded_as_far_as_it_came(ports: Replaying) -> None:
    async with staged(ports=ports, waits=OpeningWaits(600, 600, 600)) as stage:
        ports.prints(BOOT)
        dialling = asyncio.create_task(stage.dial(stage.token("ada")))
        await stage.until(lambda: ports.opened)
        ports.lose()
        await (await dialling).heard("port", state="lost")
        assert stage.epochs.printed() == BOOT


async def test_a_gateway_that_replays_nothing_loses_nothing(stage: Stage, ports: Replaying) -> None:
    ports.ring = 0
    ports.log = b""
    for generation in range(1, 4):
        ada = await stage.comes(f"s{generation}", generation=generation)
        ports.log = b""
        ports.prints(b"web-01 login: web-01 login: ")
        await ada.sees(b"web-01 login: web-01 login: ")
        ports.log = b""
        await leaves(stage, ada)
    assert stage.epochs.printed() == b"web-01 login: web-01 login: " * 3


async def test_what_was_printed_live_is_known_when_it_is_replayed(stage: Stage, ports: Replaying) -> None:
    ada = await stage.comes("ada")
    for byte in BOOT:
        ports.prints(bytes([byte]))
    await ada.sees(BOOT)
    await leaves(stage, ada)
    await visits(stage, 2)
    assert stage.epochs.printed() == BOOT


async def test_a_secret_that_is_replayed_is_masked_and_its_hash_tells_nothing(stage: Stage, ports: Replaying) -> None:
    stage.control_plane.keeping = RecordingSettings(mask=(r"pin \d{4}",))
    ports.prints(BOOT + b"pin 1234\r\n")
    await visits(stage)
    ports.prints(b"and pin 9876\r\n")
    await visits(stage, 2)
    assert stage.epochs.printed() == masked(BOOT) + b"********\r\nand ********\r\n"
    again = replayed(stage)[-1]
    assert again["keyed"]
    assert again["hash"] != hashlib.sha256(BOOT + b"pin 1234\r\n").hexdigest()
    assert not any(b"1234" in record.body or b"9876" in record.body for record in stage.epochs.all())


@pytest.mark.parametrize(
    ("pattern", "closed", "later"),
    [
        (r"pin \d{4}", b"pin ", b"1234"),
        (r"(?<=pin )\d{4}", b"pin ", b"1234"),
        (r"token=\w+", b"token=abcdef", b"SECRETHALF"),
    ],
)
async def test_a_secret_in_the_middle_of_which_the_port_is_closed_is_masked(
    stage: Stage, ports: Replaying, pattern: str, closed: bytes, later: bytes
) -> None:
    stage.control_plane.keeping = RecordingSettings(mask=(pattern,))
    ports.prints(BOOT + b"\r\n" + closed)
    await visits(stage)
    ports.prints(later + b"\r\n")
    await visits(stage, 2)
    assert replayed(stage)[-1]["found"]
    assert not any(later in record.body for record in stage.epochs.all())


async def test_what_a_gateway_that_replays_nothing_goes_on_with_may_begin_inside_a_secret(
    stage: Stage, ports: Replaying
) -> None:
    stage.control_plane.keeping = RecordingSettings(mask=(r"pin \d{4}",))
    for generation, text in enumerate((BOOT + b"\r\npin 12", b"34 is the pin\r\nand on\r\n"), 1):
        ports.log = b""
        ada = await stage.comes(f"s{generation}", generation=generation)
        ports.prints(text)
        await ada.sees(text)
        await leaves(stage, ada)
    assert stage.epochs.printed().endswith(b"*" * len(b"34 is the pin") + b"\r\nand on\r\n")


async def test_where_others_may_have_recorded_too_what_comes_next_may_begin_inside_a_secret(
    stage: Stage, ports: Replaying
) -> None:
    """The archive, which would tell, does not answer while the port is dialled again."""
    stage.control_plane.keeping = RecordingSettings(mask=(r"pin \d{4}",))
    ada = await stage.comes("ada")
    ports.prints(BOOT + b"\r\n")
    await ada.sees(BOOT + b"\r\n")
    ports.lose()
    ports.log, stage.control_plane.away = b"", True
    stage.passes(1)
    await stage.until(lambda: len(ports.opened) == 2)
    await ada.heard("port", state="open")
    ports.prints(b"34 is the pin\r\nand on\r\n")
    await ada.sees(b"34 is the pin\r\nand on\r\n")
    await stage.until(lambda: stage.epochs.printed().endswith(b"and on\r\n"))
    assert stage.epochs.printed().endswith(b"*" * len(b"34 is the pin") + b"\r\nand on\r\n")


async def test_what_lies_between_two_equal_stretches_is_recorded(ports: Replaying) -> None:
    ports.ring = 1 << 20
    async with staged(ports=ports) as stage:
        same = b"".join(b"[%5d] the same\r\n" % number for number in range(3000))[:TAIL_BYTES]
        ports.prints(BOOT + same)
        await visits(stage)
        ports.prints(b"$ printed to nobody\r\n" + same)
        await visits(stage, 2)
        assert stage.epochs.printed() == ports.log


async def test_a_port_that_floods_before_it_is_told_of_is_closed_and_what_came_is_recorded(
    stage: Stage, ports: Replaying
) -> None:
    ports.ring = EARLY_BYTES + 1
    ports.prints(b"x" * ports.ring)
    dialling = asyncio.create_task(stage.dial(stage.token("ada")))
    await stage.until(lambda: ports.opened and ports.opened[0].closed)
    await stage.until(lambda: len(stage.epochs.printed()) >= EARLY_BYTES)
    assert "port-lost" in stage.epochs.notes()
    dialling.cancel()


async def test_a_replay_that_begins_inside_a_secret_is_masked_up_to_the_end_of_its_line(
    stage: Stage, ports: Replaying
) -> None:
    stage.control_plane.keeping = RecordingSettings(mask=(r"pin \d{4}",))
    after = b" is right\r\n" + BOOT
    ports.ring = len(b"34") + len(after)
    ports.prints(b"pin 1234" + after)
    await visits(stage)
    assert stage.epochs.printed() == b"*" * len(b"34 is right") + b"\r\n" + BOOT
    assert not any(b"34 is" in record.body for record in stage.epochs.all())


async def test_the_gateways_own_words_are_in_an_event_and_not_printed(stage: Stage, ports: Replaying) -> None:
    ports.says_before = b"Connecting...\r\n\r\n"
    ports.prints(BOOT)
    await visits(stage)
    await visits(stage, 2)
    assert stage.epochs.printed() == BOOT
    assert {each["banner"] for each in replayed(stage)} == {"Connecting...\r\n\r\n"}


async def test_what_could_not_be_recorded_is_new_when_it_is_replayed(stage: Stage, ports: Replaying) -> None:
    ports.prints(BOOT)
    ada = await stage.comes("ada")
    await ada.sees(BOOT)
    stage.epochs.failing = True
    ports.prints(b"on a disk that was full\r\n")
    stage.passes(20)
    assert (await ada.closed())[1] == "AuditUnavailable"
    stage.epochs.failing = False
    stage.passes(1)
    await visits(stage, 2)
    assert stage.epochs.printed().endswith(BOOT + b"on a disk that was full\r\n")
    assert not replayed(stage)[-1]["found"]


@pytest.mark.parametrize("seed", range(12))
async def test_the_record_is_what_the_vm_printed_whatever_the_moments(seed: int) -> None:
    """Prints, visits, losses and pieces at random: every byte once, as far as the ring reaches."""
    dice = Random(seed)  # noqa: S311 - chooses moments, keeps no secret
    ports = Replaying(ring=1000)
    async with staged(ports=ports) as stage:
        number = 0
        for generation in range(1, 8):
            ada = await stage.comes(f"s{generation}", generation=generation)
            for _ in range(dice.randrange(4)):
                ports.prints(b"".join(b"line %06d\r\n" % (number := number + 1) for _ in range(dice.randrange(1, 30))))
                if dice.random() < 0.5:
                    ports.lose()
                    stage.passes(1)
                    await stage.until(partial(lambda dials: len(ports.opened) == dials, ports.dials))
            await leaves(stage, ada)
            ports.log += b"".join(b"line %06d\r\n" % (number := number + 1) for _ in range(dice.randrange(60)))
        await visits(stage, 9)
        assert stage.epochs.printed() == ports.log
        assert len(ports.log) > PROOF

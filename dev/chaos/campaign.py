"""Rounds of acts on a running stack; then everything is well again, and the transcripts are held to the witness."""

import asyncio
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import Random

from azure.storage.blob.aio import ContainerClient

from dev import demo
from dev.chaos.campaign_state import MACHINES, PATIENCE, CampaignState
from dev.chaos.check import Checked, check, differences, is_kept, printed_by_epoch
from dev.chaos.faults import FAULTS, KILL_STORAGE, Fault
from dev.parts import storage
from dev.stack import ROOT
from shared.base.record import Batch
from shared.transcript.playback import code_of, printed

CALM_EVERY = 8
"""Rounds after which the viewers must be there again, so that a campaign is no series of faults of nothing."""
_LAST = 256
"""Bytes by which the end of a transcript is known."""
QUIET_SECONDS = (0.05, 1.5)


@dataclass
class Outcome:
    seed: str
    rounds: int = 0
    seconds: float = 0.0
    acts: Counter[str] = field(default_factory=Counter[str])
    checked: dict[str, Checked] = field(default_factory=dict[str, Checked])
    aside: Mapping[str, bytes] = field(default_factory=dict[str, bytes])
    """By name: what lies beside the transcripts."""
    copies: int = 0
    """Of these, batches of relays that are in the transcripts, too."""
    index: list[str] = field(default_factory=list[str])
    """Where the index told something else than the segments: only a storage that forgot may cause it."""
    faults: list[str] = field(default_factory=list[str])
    looks: Counter[str] = field(default_factory=Counter[str])
    """What lists of VMs were answered while ARM failed."""

    @property
    def passed(self) -> bool:
        return (
            (KILL_STORAGE in self.acts or not self.index)
            and not self.faults
            and not any(each.faults for each in self.checked.values())
        )


async def campaign(
    field_: CampaignState,
    seed: str,
    rounds: int,
    seconds: float,
    say: Callable[[str], None],
    *,
    acts: Sequence[Fault] = FAULTS,
) -> Outcome:
    """Ends after so many rounds or seconds, whichever comes first."""
    outcome, dice, began = Outcome(seed), Random(seed), time.monotonic()  # noqa: S311 - chooses faults, keeps no secret
    await field_.pace(60_000)
    await field_.until(lambda: all(viewer.is_attached for viewer in field_.viewers), "everybody watches")
    for number in range(1, rounds + 1):
        if time.monotonic() - began > seconds:
            break
        chosen = _choose(dice, acts)
        started = time.monotonic()
        await asyncio.gather(*(act.do(field_, dice) for act in chosen))
        await asyncio.sleep(dice.uniform(*QUIET_SECONDS))
        outcome.rounds = number
        outcome.acts.update(act.name for act in chosen)
        say(await _round(field_, number, chosen, time.monotonic() - started))
        if number % CALM_EVERY == 0:
            await field_.until(lambda: all(viewer.is_attached for viewer in field_.viewers), "everybody watches again")
    outcome.seconds = time.monotonic() - began
    say("everything is well again; waiting until all that was printed is archived")
    await _quiesce(field_, outcome)
    await _judge(field_, outcome)
    return outcome


def _choose(dice: Random, acts: Sequence[Fault]) -> Sequence[Fault]:
    """One act; in every fifth round two, of different parts."""
    weights = [act.weight for act in acts]
    first, second = dice.choices(acts, weights, k=2)
    return (first, second) if first.part != second.part and dice.random() < 0.2 else (first,)


async def _round(field_: CampaignState, number: int, chosen: Sequence[Fault], seconds: float) -> str:
    generators, relay = await field_.generators(), await field_.relay_says()
    printed = sum(said["printed"] for said in generators.values())
    spooled = relay.get("spooledBytes", "?")
    watching = sum(viewer.is_attached for viewer in field_.viewers)
    names = " + ".join(act.name for act in chosen)
    return f"{number:4}  {names:44} {seconds:5.1f} s  printed {printed:>11,}  spooled {spooled:>9}  watching {watching}"


async def _quiesce(field_: CampaignState, outcome: Outcome) -> None:
    await field_.hub("/faults", {"send": {"count": 0}})
    await field_.arm("/admin/faults", [])
    await field_.pace(0)
    await field_.until(field_.all_shown, "everything that was printed is shown", PATIENCE)

    async def drained() -> bool:
        return (await field_.relay_says()).get("spooledRecords") == 0

    await field_.until(drained, "the spool is empty", PATIENCE)
    for viewer in field_.viewers:
        await field_.until(partial(_archived, field_, viewer.vm), f"{viewer.vm.name} is archived", PATIENCE)
    await field_.until(field_.upkeep, "upkeep runs")
    for viewer in field_.viewers:
        signed = partial(_signed, field_, viewer.vm, outcome.index)
        await field_.until(signed, f"all of {viewer.vm.name} is signed", PATIENCE)


async def _archived(field_: CampaignState, vm: demo.VirtualMachine) -> bool:
    """Whether the archive ends with what was printed last. The rest is the check's."""
    end = await field_.service.transcript_end(vm)
    last = await field_.service.transcript(vm, max(0, end - _LAST))
    return bool(last) and _witness(field_, vm).endswith(last)


async def _signed(field_: CampaignState, vm: demo.VirtualMachine, index: list[str]) -> bool:
    """Notes what is said of the index, which each verification makes anew where it is wrong."""
    said = await field_.service.verification(vm)
    index += (f"{vm.name}: {each['words']}" for each in said["findings"] if each["fault"] == "index")
    return bool(said["signed"] and said["signed"]["offset"] == said["end"])


def _witness(field_: CampaignState, vm: demo.VirtualMachine) -> bytes:
    return (field_.stack.home / "machines" / f"{vm.name}.printed").read_bytes()


async def _judge(field_: CampaignState, outcome: Outcome) -> None:
    folder = field_.stack.home / "downloaded"
    outcome.aside = await _download(field_, folder)
    outcome.faults += field_.faults
    outcome.looks = field_.looks
    outcome.faults += _poison_faults(field_, outcome.aside, folder)
    outcome.copies = sum(body not in field_.poison_sent for body in outcome.aside.values())
    generators = await field_.generators()
    for viewer in field_.viewers:
        vm = viewer.vm
        here = folder / vm.id.strip("/").lower()
        segments = _segments(folder, vm)
        checked = check(
            _witness(field_, vm), generators[vm.name]["handed"], field_.excused.get(vm.name, {}), segments, viewer.runs
        )
        outcome.checked[vm.name] = checked
        checked.faults += viewer.faults
        checked.faults += await _api_faults(field_, vm, segments)
        (here / "signed.json").write_text(await field_.service.checkpoints(vm))
        checked.faults += await asyncio.to_thread(_command_faults, here)


def _poison_faults(field_: CampaignState, aside: Mapping[str, bytes], folder: Path) -> list[str]:
    """Set aside is what somebody else sent, byte for byte, and the log names it. Of what relays sent, only what came
    again after so many epochs that nobody could say whether it was kept: it must be in the transcript.
    """
    sent, kept = field_.poison_sent, set(aside.values())
    log = (field_.stack.home / "logs" / "functions.log").read_text(errors="replace")
    epochs = {vm.id.lower(): printed_by_epoch(_segments(folder, vm)) for vm in MACHINES}
    copies = ((name, Batch.decode(body)) for name, body in aside.items() if body not in sent)
    return [
        *(
            f"set aside, and not archived: {name}"
            for name, batch in copies
            if not is_kept(batch, epochs[batch.source.console])
        ),
        *(f"neither archived nor set aside: {body!r}" for body, surely in sent.items() if surely and body not in kept),
        *(f"set aside and not reported: {name}" for name in aside if name not in log),
    ]


def _segments(folder: Path, vm: demo.VirtualMachine) -> list[bytes]:
    return [path.read_bytes() for path in sorted((folder / vm.id.strip("/").lower()).glob("*.cast"))]


async def _api_faults(field_: CampaignState, vm: demo.VirtualMachine, segments: Sequence[bytes]) -> list[str]:
    """What the API reads is what lies in the blobs, and it finds that complete, too."""
    lines = (line for each in segments for line in each.split(b"\n")[1:] if line)
    stored = b"".join(printed(line) for line in lines if code_of(line) == "o")
    read = await field_.service.transcript(vm)
    faults = [f"the API reads otherwise than the blobs from byte {at} on" for at in differences(read, stored)]
    said = await field_.service.verification(vm)
    if not said["complete"]:
        faults.append(f"the API's verification: {said['findings']}")
    return faults


def _command_faults(folder: Path) -> list[str]:
    """What an auditor's command says, where it is not content."""
    signed = str(folder / "signed.json")
    done = subprocess.run(
        [sys.executable, "-m", "shared.verify", str(folder), "--statements", signed, "--keys", signed],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return [] if done.returncode == 0 else [f"python -m shared.verify: {done.stdout}{done.stderr}"]


async def _download(field_: CampaignState, folder: Path) -> dict[str, bytes]:
    """The container of transcripts; answers what lies in its dead-letter folder."""
    aside: dict[str, bytes] = {}
    async with ContainerClient.from_connection_string(storage(field_.stack), "transcripts") as container:
        async for name in container.list_blob_names():
            content = await _read(container, name)
            if name.startswith("dead-letter/"):
                aside[name] = content
            else:
                path = folder / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
    return aside


async def _read(container: ContainerClient, name: str) -> bytes:
    """In ranges: the emulator opens a file for every block of one."""
    pieces: list[bytes] = []
    blob = container.get_blob_client(name)
    size = (await blob.get_blob_properties()).size
    for at in range(0, size, 1 << 20):
        pieces.append(await (await blob.download_blob(offset=at, length=1 << 20)).readall())  # noqa: PERF401 - awaits
    return b"".join(pieces)

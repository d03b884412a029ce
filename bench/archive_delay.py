"""How long what a VM prints takes until it is stored, through the running stack.

A record bears the time at which the relay read it. The blob is looked at every few milliseconds: a record is stored as
soon as its append, which ends with a checkpoint, was first seen there.
"""

import asyncio
import bisect
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from azure.core.exceptions import ResourceNotFoundError
from azure.storage.blob.aio import BlobClient

from dev import tls
from dev.chaos.campaign_state import MACHINES, running
from dev.parts import storage
from dev.stack import Stack

LOOK_SECONDS = 0.005
RATES = (2_000, 50_000)
"""Bytes a second of each of two VMs: somebody at work, and twice what a boot prints."""


async def measured(base: int, home: Path, seconds: float, say: Callable[[str], None]) -> dict[int, list[float]]:
    """Seconds from read to stored of every printed record, by rate."""
    stack = Stack(base, home)
    tls.ensure(stack)
    found: dict[int, list[float]] = {}
    async with running(stack, "bench", lambda _: None) as field:
        address = f"{MACHINES[0].id.strip('/').lower()}/00000000.cast"
        async with BlobClient.from_connection_string(storage(stack), "transcripts", address) as blob:
            for rate in (RATES[0], *RATES):  # the first time is not counted: connections are opened
                say(f"delay: {rate} bytes a second")
                await field.pace(rate)
                seen = await _watched(blob, seconds)
                found[rate] = list(_delays(await _lines(blob), seen))
    return found


async def _watched(blob: BlobClient, seconds: float) -> list[tuple[int, float]]:
    """Lengths of the blob, and when each was first seen."""
    seen: list[tuple[int, float]] = []
    until = time.time() + seconds
    while time.time() < until:
        length = await _length(blob)
        if not seen or length > seen[-1][0]:
            seen.append((length, time.time()))
        await asyncio.sleep(LOOK_SECONDS)
    return seen


async def _length(blob: BlobClient) -> int:
    try:
        return int((await blob.get_blob_properties()).size)
    except ResourceNotFoundError:
        return 0


async def _lines(blob: BlobClient) -> list[bytes]:
    return [line for line in bytes(await (await blob.download_blob()).readall()).split(b"\n") if line]


def _delays(lines: list[bytes], seen: list[tuple[int, float]]) -> Iterator[float]:
    """Of the records whose append was seen to come."""
    lengths = [length for length, _ in seen]
    started = json.loads(lines[0])["serialconsole"]["startedUs"] / 1e6
    position, waiting = len(lines[0]) + 1, list[float]()
    for line in lines[1:]:
        position += len(line) + 1
        after, code, _ = json.loads(line)
        if code == "o":
            waiting.append(started + after)
        elif code == "k":
            at = bisect.bisect_left(lengths, position)
            if position > lengths[0] and at < len(seen):
                yield from (seen[at][1] - printed for printed in waiting)
            waiting.clear()

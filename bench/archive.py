"""`python -m bench.archive`: what the transcript costs, and how fast it is.

    archiver       MB and records a second, per core, beside the bare appends it makes, on the same storage in the
                   same run
    delay          from the moment the relay read a byte until it is stored, through the running stack
    recording      a relay's processor time under a fixed load, beside that of one that records nothing
    stored         bytes in the segments for each byte that was printed

Figures are of this machine and this moment; the ratios are what can be compared.
"""

import argparse
import asyncio
import statistics
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench import archive_delay, archive_speed, recording_cost
from bench.archive_speed import Speed
from dev.stack import Port, Stack
from dev.supervisor import taken_ports
from tests.contract.azurite import azurite

MB, WIDTH = 1e6, 170
BASES = range(8600, 9000, len(Port))


def _speeds(speeds: Mapping[str, Speed]) -> Table:
    table = Table(
        "archiver", "printed MB/s", "stored MB/s", "bare MB/s", "of bare", "records/s", "MB/s per core",
        "records/s per core", "stored per printed",
        title="archiver on the storage emulator, beside the same appends by the SDK alone",
    )  # fmt: skip
    for load, speed in speeds.items():
        table.add_row(
            load, f"{speed.printed / MB / speed.seconds:.1f}", f"{speed.stored / MB / speed.seconds:.1f}",
            f"{speed.stored / MB / speed.bare_seconds:.1f}", f"{speed.bare_seconds / speed.seconds:.2f}",
            f"{speed.records / speed.seconds:,.0f}", f"{speed.printed / MB / speed.processor:.1f}",
            f"{speed.records / speed.processor:,.0f}", f"{speed.stored / speed.printed:.2f}",
        )  # fmt: skip
    return table


def _delays(delays: Mapping[int, Sequence[float]]) -> Table:
    table = Table("delay until stored", "records", "p50 ms", "p99 ms", title="printed until stored, whole stack")
    for rate, times in delays.items():
        cuts = statistics.quantiles(times, n=100)
        table.add_row(f"{rate:,} bytes/s", f"{len(times):,}", f"{cuts[49] * 1e3:.0f}", f"{cuts[98] * 1e3:.0f}")
    return table


def _costs(costs: Mapping[str, float]) -> Table:
    load = recording_cost.PIECES_A_SECOND * len(recording_cost.PIECE) / 1000
    table = Table("relay", "CPU ms per second", "ratio", "share of recording", title=f"a relay at {load:.0f} kB/s")
    bare = costs[recording_cost.WAYS[0]]
    for way, spent in costs.items():
        table.add_row(way, f"{spent:.0f}", f"{spent / bare:.2f}", f"{1 - bare / spent:.0%}")
    return table


async def _measured_speeds(folder: Path, rounds: int) -> dict[str, Speed]:
    with azurite(folder) as storage:
        return {load: await archive_speed.measured(storage, load, rounds) for load in archive_speed.LOADS}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.archive", description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=8, help="of the archiver (default %(default)s)")
    parser.add_argument("--seconds", type=float, default=10, help="for each rate of the delay (default %(default)s)")
    asked = parser.parse_args()
    terminal = Console(width=max(Console().width, WIDTH))
    with tempfile.TemporaryDirectory() as folder, terminal.status("archiver") as status:
        speeds = asyncio.run(_measured_speeds(Path(folder) / "azurite", asked.rounds))
        costs = recording_cost.measured(3, status.update)
        status.update("starting the stack")
        base = next(base for base in BASES if not taken_ports(Stack(base)))
        delays = asyncio.run(archive_delay.measured(base, Path(folder) / "stack", asked.seconds, status.update))
    for table in (_speeds(speeds), _delays(delays), _costs(costs)):
        terminal.print(table)


if __name__ == "__main__":
    main()

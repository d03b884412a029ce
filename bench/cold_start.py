"""What a new instance of the function app pays before its first answer: importing the app, and the SDKs for Azure.

    python -m bench.cold_start [--runs N]

Each figure is of a fresh process: with bytecode as the package has it, and without, as a package of sources alone.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console as Terminal
from rich.table import Table

from dev.stack import ROOT

APP = "import function_app"
SDKS = (
    "import function_app; import azure.identity.aio, azure.mgmt.compute.aio, azure.mgmt.authorization.aio, "
    "azure.mgmt.serialconsole.aio, azure.storage.blob.aio, azure.data.tables.aio"
)
MEASURE = "import resource, sys; sys.stderr.write(str(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss))"


@dataclass(frozen=True)
class Start:
    wall: float
    cpu: float
    """Seconds, of the process alone."""
    memory: float
    """MiB at the most."""


def start(code: str, bytecode: str | None) -> Start:
    """A process that imports. `bytecode`: the folder that holds it; None: as it lies beside the sources."""
    environment = os.environ | ({"PYTHONPYCACHEPREFIX": bytecode, "PYTHONDONTWRITEBYTECODE": "1"} if bytecode else {})
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", f"{code}; {MEASURE}"], cwd=ROOT, env=environment, capture_output=True, check=True
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Start(time.perf_counter() - began, cpu, int(done.stderr.split()[-1]) / 1024)


def main() -> None:
    arguments = argparse.ArgumentParser(prog="python -m bench.cold_start", description=__doc__)
    arguments.add_argument("--runs", type=int, default=7, help="processes for each figure (default %(default)s)")
    runs = arguments.parse_args().runs
    folders = [str(Path(sys.prefix, "lib")), "functions", "shared", "function_app.py"]
    subprocess.run([sys.executable, "-m", "compileall", "-q", *folders], cwd=ROOT, check=False, capture_output=True)
    table = Table("cold start", "seconds (median)", "processor", "memory, MiB")
    with tempfile.TemporaryDirectory() as empty:
        for name, code, bytecode in (
            ("nothing: Python alone", "pass", None),
            ("the app, with bytecode", APP, None),
            ("the app and the SDKs that Azure is asked with", SDKS, None),
            ("the app, sources alone", APP, empty),
        ):
            taken = [start(code, bytecode) for _ in range(runs)]
            figures = (statistics.median(getattr(each, what) for each in taken) for what in ("wall", "cpu", "memory"))
            wall, cpu, memory = figures
            table.add_row(name, f"{wall:.2f}", f"{cpu:.2f}", f"{memory:.0f}")
    Terminal().print(table)


if __name__ == "__main__":
    main()

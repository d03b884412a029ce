"""A short fault campaign; `make chaos` runs longer ones, and docs/faults.md tells of one of hundreds of rounds."""

import re
import subprocess
import sys
from pathlib import Path

from dev.stack import ROOT
from tests.e2e.local_stack import hub_in_memory

SEED, ROUNDS = "check", 24
PACE = 0.1
"""Of the hub's listener: `make chaos` runs at the real one, which takes minutes more."""


def test_every_byte_is_accounted_for_after_faults_at_random_moments(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "dev.chaos", "--seed", SEED, "--rounds", str(ROUNDS), "--seconds", "90"]
    command += ["--hub-pace", str(PACE)]
    done = subprocess.run(
        [*command, "--home", str(tmp_path)], cwd=ROOT, env=hub_in_memory(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "every byte is accounted for" in done.stdout
    recorded = re.findall(r"recorded +│ +([\d,]+)", done.stdout)
    assert recorded
    assert all(int(number.replace(",", "")) > 0 for number in recorded)

"""The fallback on azure-functions-durable 1.x (docs/versions.md), for tests: its packages beside the project's own.

Both lines of the library are one name to Python, so the fallback's functions run under a Python of their own.
"""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

from dev.stack import ROOT
from dev.steps import StepFailed, Steps

REQUIREMENTS = ROOT / "infra/durable1/requirements.txt"
PYTHON = ROOT / ".local/durable1/bin/python"


def prepare(stamps: Path, steps: Steps) -> None:
    """Installs the packages, if they are not there yet. Raises StepFailed."""
    digest, stamp = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest(), stamps / "durable1"
    if PYTHON.exists() and stamp.is_file() and stamp.read_text() == digest:
        return
    with steps.step("Python packages of the fallback, for the tests"):
        _run(["venv", "--quiet", "--clear", "--python", sys.executable, str(PYTHON.parents[1])])
        _run(["pip", "install", "--quiet", "--python", str(PYTHON), "-r", str(REQUIREMENTS)])
    stamps.mkdir(parents=True, exist_ok=True)
    stamp.write_text(digest)


def _run(words: list[str]) -> None:
    ours = ROOT / ".local/tools/bin/uv"
    uv = str(ours) if ours.exists() else shutil.which("uv") or "uv"
    done = subprocess.run([uv, *words], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise StepFailed(f"uv {words[0]} failed for the fallback's packages:\n{done.stderr.strip()[-800:]}")

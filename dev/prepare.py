"""Installs what the local stack needs and is not there yet: npm parts, the machines' images. Can be run any time.

Python packages come before it: `dev/bootstrap` puts them there. Each npm folder has a lock file; its digest is
kept in `.local/stamps`, so that nothing is installed twice.
"""

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from dev import older_durable
from dev.machines import images
from dev.machines.packages import UnavailableError, install_programs
from dev.stack import ROOT, Stack
from dev.steps import StepFailed, Steps

NPM_PARTS = {
    "web": "the page's third-party parts",
    "dev/azurite": "Microsoft's storage emulator",
    "dev/event_hubs": "the AMQP library behind the Event Hubs stand-in",
}
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
LEAST_NODE = 20
LEAST_DISK_MIB = 1500
"""What a first start takes: 200 MB of emulator, QEMU and a kernel, logs, with room to breathe."""


def prepare(stack: Stack, steps: Steps, *, tests: bool = False) -> None:
    """With `tests`, also what only the tests need: a browser, and the fallback's packages. Raises StepFailed."""
    _check_disk(stack.home)
    _check_node()
    for folder, what in NPM_PARTS.items():
        _npm(ROOT / folder, what, stack.home / "stamps", steps)
    with steps.step("Machines: QEMU, kernel and initramfs") as say:
        _images(stack, say)
    if tests:
        older_durable.prepare(stack.home / "stamps", steps)
        with steps.step("Browser for the tests") as say:
            _browser(say)


def browser() -> str | None:
    """The Chromium that the tests drive: CHROMIUM, or the first on PATH."""
    named = os.environ.get("CHROMIUM")
    return named or next((path for name in BROWSERS if (path := shutil.which(name))), None)


def _browser(say: Callable[[str], None]) -> None:
    if browser():
        return
    try:
        install_programs(say, {"chromium": "chromium"})
    except UnavailableError as error:
        raise StepFailed(f"the tests want Chromium: {error}. Or set CHROMIUM to a browser's path.") from error


def _images(stack: Stack, say: Callable[[str], None]) -> None:
    try:
        images.ensure(stack.home, say)
    except UnavailableError as error:
        say(f"no real machines here ({error}): the scripted pty machine stands in, no Linux boots")


def _check_disk(home: Path) -> None:
    home.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(home).free // (1 << 20)
    if free < LEAST_DISK_MIB:
        raise StepFailed(
            f"{home} has {free} MiB free; the local stack wants {LEAST_DISK_MIB}. Free some space and start again."
        )


def _check_node() -> None:
    node = shutil.which("node")
    if not node or not shutil.which("npm"):
        raise StepFailed("node or npm is not on PATH. Install Node.js 20 or later (with npm) and start again.")
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    if int(version.lstrip("v").split(".")[0]) < LEAST_NODE:
        raise StepFailed(f"node is {version}; the page and the stand-ins want Node.js {LEAST_NODE} or later.")


def _npm(folder: Path, what: str, stamps: Path, steps: Steps) -> None:
    digest = hashlib.sha256((folder / "package-lock.json").read_bytes()).hexdigest()
    stamp = stamps / folder.name
    if (folder / "node_modules").is_dir() and stamp.is_file() and stamp.read_text() == digest:
        return
    with steps.step(f"npm ci in {folder.relative_to(ROOT)}: {what}"):
        done = subprocess.run(
            ["npm", "ci", "--no-audit", "--no-fund", "--omit=dev"],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise StepFailed(f"npm ci failed in {folder.relative_to(ROOT)}:\n{_last_lines(done.stderr)}")
    stamps.mkdir(parents=True, exist_ok=True)
    stamp.write_text(digest)


def _last_lines(text: str, count: int = 8) -> str:
    return "\n".join(text.strip().splitlines()[-count:])


def main() -> int:
    arguments = argparse.ArgumentParser(prog="python -m dev.prepare", description=__doc__)
    arguments.add_argument("--tests", action="store_true", help="also what only the tests need")
    given = arguments.parse_args()
    steps = Steps()
    try:
        prepare(Stack(), steps, tests=given.tests)
    except StepFailed as error:
        steps.fail(str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

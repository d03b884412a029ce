"""What apt brings: QEMU and the unpackers as installed programs, a kernel and busybox as mere files.

Debian and Ubuntu name the kernel differently and pack it differently; both are looked up, never guessed.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

type Say = Callable[[str], None]

QEMU = "qemu-system-x86_64"
PROGRAMS = {QEMU: "qemu-system-x86", "lz4": "lz4", "zstd": "zstd"}
KERNELS = ("linux-image-cloud-amd64", "linux-image-virtual")
"""Packages that depend on the newest kernel for virtual machines: Debian's, Ubuntu's."""


class UnavailableError(Exception):
    """Something needed cannot be had here; the text says what, and what to do about it."""


def install_programs(say: Say, programs: Mapping[str, str] = PROGRAMS) -> None:
    """Installs what is missing of `programs` (program: package), if that is allowed here. Raises UnavailableError."""
    missing = [package for program, package in programs.items() if shutil.which(program) is None]
    if not missing:
        return
    wanted = f"apt-get install -y --no-install-recommends {' '.join(missing)}"
    root = _root_prefix()
    if root is None or shutil.which("apt-get") is None:
        raise UnavailableError(f"{', '.join(missing)} missing, and may not be installed here. By hand: {wanted}")
    refresh_if_empty(say)
    say(f"installing with apt: {' '.join(missing)}")
    try:
        _apt([*root, *wanted.split()])
    except UnavailableError:
        say("that failed; fetching apt's package lists, which may be old, and trying again")
        _apt([*root, "apt-get", "update"])
        _apt([*root, *wanted.split()])


def refresh_if_empty(say: Say) -> None:
    """Fetches apt's package lists when there are none, if that is allowed here."""
    root = _root_prefix()
    if root is not None and not _known("busybox-static"):
        say("fetching apt's package lists")
        _apt([*root, "apt-get", "update"])


def kernel_packages() -> list[str]:
    """Names of the newest kernel's package and, where modules come apart, of theirs. Raises UnavailableError."""
    for meta in KERNELS:
        if found := re.search(r"Depends: (linux-image-\d\S*)", _ask("apt-cache", "depends", meta)):
            image = found[1]
            modules = re.sub("linux-image-(?:unsigned-)?", "linux-modules-", image)
            return [image, *([modules] if _known(modules) else [])]
    raise UnavailableError("apt knows no kernel for virtual machines. By hand: apt-get update")


def unpack(packages: list[str], downloads: Path, into: Path) -> None:
    """Downloads packages (once) and unpacks their files, installing nothing. Raises UnavailableError."""
    downloads.mkdir(parents=True, exist_ok=True)
    for package in packages:
        if not list(downloads.glob(f"{package}_*.deb")):
            _apt(["apt-get", "download", package], cwd=downloads)
        for archive in downloads.glob(f"{package}_*.deb"):
            _apt(["dpkg-deb", "-x", archive.name, str(into.resolve())], cwd=downloads)


def _root_prefix() -> list[str] | None:
    """How to become root without a question, or None."""
    if os.geteuid() == 0:
        return []
    if (
        shutil.which("sudo")
        and subprocess.run(["sudo", "-n", "true"], capture_output=True, check=False).returncode == 0
    ):
        return ["sudo", "-n"]
    return None


def _known(package: str) -> bool:
    return "Package:" in _ask("apt-cache", "show", package)


def _ask(*command: str) -> str:
    if shutil.which(command[0]) is None:
        return ""
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


def _apt(command: list[str], cwd: Path | None = None) -> None:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    if shutil.which(command[0]) is None:
        raise UnavailableError(f"no {command[0]} here: this is not Debian or Ubuntu")
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        reason = (done.stderr.strip() or done.stdout.strip()).splitlines()
        raise UnavailableError(f"{' '.join(command)}: {reason[-1] if reason else done.returncode}")

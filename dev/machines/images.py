"""Builds what every guest boots from: `vmlinux` and `initrd.cpio`. Once; again only when the recipe changes."""

import fcntl
import hashlib
import platform
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from dev.demo import GUEST_PASSWORD, GUEST_USER
from dev.machines import guest, kernel, packages
from dev.machines.packages import Say, UnavailableError

MODULES = ("button", "evdev")
"""Kernel modules behind the power button, where the kernel has them apart."""
RECIPE = ("images.py", "packages.py", "kernel.py", "guest.py", "test_pattern.py", "cpio.py")


@dataclass(frozen=True)
class Images:
    """Where the built images are, under the stack's home."""

    folder: Path

    @property
    def kernel(self) -> Path:
        return self.folder / "vmlinux"

    @property
    def initrd(self) -> Path:
        return self.folder / "initrd.cpio"

    @property
    def stamp(self) -> Path:
        return self.folder / "recipe"

    def current(self) -> bool:
        """Whether both are there, and were built by this very recipe."""
        built = self.kernel.exists() and self.initrd.exists() and self.stamp.exists()
        return built and self.stamp.read_text() == recipe()


def recipe() -> str:
    """A digest over the code that builds the images and the login they hold."""
    here = Path(__file__).parent
    parts = [(here / name).read_bytes() for name in RECIPE]
    return hashlib.sha256(b"\0".join([*parts, GUEST_USER.encode(), GUEST_PASSWORD.encode()])).hexdigest()


def ensure(home: Path, say: Say) -> Images:
    """The images, built now if need be; tells `say` each step before doing it. Raises UnavailableError."""
    images = Images(home / "machines")
    images.folder.mkdir(parents=True, exist_ok=True)
    if platform.machine() not in {"x86_64", "AMD64"}:
        raise UnavailableError(f"the guest's kernel is for x86-64, and this is {platform.machine()}")
    packages.install_programs(say)
    with _alone(images.folder):
        if not images.current():
            _build(images, say)
    return images


def _build(images: Images, say: Say) -> None:
    packages.refresh_if_empty(say)
    wanted = [*packages.kernel_packages(), "busybox-static"]
    say(f"fetching {', '.join(wanted)} (unpacked here, not installed)")
    with tempfile.TemporaryDirectory(dir=images.folder, prefix="build-") as name:
        tree = Path(name)
        packages.unpack(wanted, images.folder / "downloads", tree)
        say("unpacking the kernel and writing the initramfs")
        images.stamp.unlink(missing_ok=True)  # last in, so that a build cut short is seen
        images.kernel.write_bytes(_kernel(tree))
        images.initrd.write_bytes(guest.initramfs(_one(tree, "bin/busybox"), _modules(tree)))
    images.stamp.write_text(recipe())


def _kernel(tree: Path) -> bytes:
    try:
        return kernel.unpack(_one(tree, "boot/vmlinuz-*").read_bytes())
    except kernel.UnknownKernelError as unknown:
        raise UnavailableError(str(unknown)) from unknown


def _modules(tree: Path) -> list[Path]:
    """The modules the kernel does not have built in; unpacked ones only, as insmod takes no other."""
    return [module for name in MODULES for module in sorted(tree.glob(f"**/{name}.ko"))[:1]]


def _one(tree: Path, pattern: str) -> Path:
    found = sorted(tree.glob(f"**/{pattern}"))
    if not found:
        raise UnavailableError(f"the packages hold no {pattern}")
    return found[-1]


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Two stacks that share a home build one after the other."""
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield

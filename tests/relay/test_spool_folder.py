"""The spool's folder as a platform mounts it: somebody else's, over NFS, or one that this user may not write to."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from relay.recording.spool import Spool
from shared.base.record import Record, RecordKind, Source
from tests.patience import PATIENCE
from tests.relay.nfs_folder import NfsFolder
from tests.relay.spool_life import live
from tests.relay.test_image import as_nobody
from tests.relay.test_process import ROOT, Process

IMAGE_USER, STRANGER = 10001, 4242
needs_root = pytest.mark.skipif(os.getuid() != 0, reason="only root can give a folder to somebody else")


def mounted(tmp_path: Path, mode: int) -> Path:
    """As a share is: its root belongs to somebody else."""
    root = tmp_path / "spool"
    root.mkdir()
    root.chmod(mode)
    os.chown(root, STRANGER, STRANGER)
    for above in (tmp_path, tmp_path.parent, tmp_path.parent.parent):
        above.chmod(0o755)
    return root


def as_image_user() -> tuple[list[str], dict[str, Any]]:
    return as_nobody(IMAGE_USER, Path(sys.executable))


def lives(folder: Path) -> subprocess.CompletedProcess[str]:
    before, options = as_image_user()
    command = [*before, sys.executable, "-m", "tests.relay.spool_life", str(folder)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=PATIENCE, **options)


@needs_root
@pytest.mark.parametrize("below", ["records", "deep/er"])
def test_in_a_share_that_everybody_may_write_to_it_makes_its_folder_and_does_all_it_has_to(
    tmp_path: Path, below: str
) -> None:
    """Azure Files over NFS: the root is root's, with mode 0777 (kubernetes-sigs/blob-csi-driver pull request 258)."""
    done = lives(mounted(tmp_path, 0o777) / below)
    assert (done.stdout, done.returncode) == ("lived\n", 0), done.stderr


@needs_root
def test_a_share_that_is_itself_the_folder_will_do(tmp_path: Path) -> None:
    done = lives(mounted(tmp_path, 0o777))
    assert (done.stdout, done.returncode) == ("lived\n", 0), done.stderr


@needs_root
@pytest.mark.parametrize(
    ("mode", "made"), [(0o755, False), (0o777, True)], ids=["the share is not ours", "the folder in it is not ours"]
)
def test_where_it_may_not_write_a_relay_says_whose_the_folder_is_and_ends(
    tmp_path: Path, mode: int, *, made: bool
) -> None:
    folder = mounted(tmp_path, mode) / "records"
    if made:
        folder.mkdir(mode=0o700)
        os.chown(folder, STRANGER, STRANGER)
    before, options = as_image_user()
    running = subprocess.Popen(
        [*before, sys.executable, "-m", "relay"], cwd=ROOT, env=Process(folder).settings, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options,
    )  # fmt: skip
    output, errors = running.communicate(timeout=PATIENCE)
    assert (running.returncode, output) == (1, "")
    assert errors.startswith(f"relay: cannot start: {folder}")
    owner = folder if made else folder.parent
    assert f"{owner} belongs to {STRANGER}:{STRANGER}, mode {0o700 if made else mode:04o}" in errors
    assert "SPOOL_DIR must be a folder that this user may write to" in errors


@needs_root
def test_a_relay_of_the_images_user_records_in_such_a_share_and_goes_on_sigterm(tmp_path: Path) -> None:
    process = Process(mounted(tmp_path, 0o777) / "records")
    before, options = as_image_user()
    with subprocess.Popen(
        [*before, sys.executable, "-m", "relay"], cwd=ROOT, env=process.settings, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options,
    ) as running:  # fmt: skip
        assert process.health(running)["status"] == "healthy"
        running.send_signal(signal.SIGTERM)
        _, errors = running.communicate(timeout=PATIENCE)
    assert running.returncode == 0, errors


def test_over_nfs_a_folder_goes_when_its_last_file_is_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nfs = NfsFolder(monkeypatch)
    live(tmp_path)
    assert nfs.made


def test_what_a_killed_relay_left_open_over_nfs_is_deleted_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nfs = NfsFolder(monkeypatch)
    spool = Spool(tmp_path, 1 << 20)
    epoch = spool.open(Source("/vm", "epoch-1", "r0"))
    epoch.append(Record(RecordKind.END, 1, 1, b"{}"))
    with monkeypatch.context() as killed:
        killed.setattr(os, "close", lambda _fd: None)
        epoch.acknowledge(1)
        spool.close()
    (left,) = (tmp_path / "epoch-1").iterdir()
    assert left.name.startswith(".nfs")
    nfs.close(spool._lock)
    nfs.killed()
    again = Spool(tmp_path, 1 << 20)
    assert again.recover(1) == []
    assert not (tmp_path / "epoch-1").exists()
    again.close()

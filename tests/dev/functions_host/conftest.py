import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.dev.functions_host.host_process import APP, HostProcess, running


@pytest.fixture(scope="session")
def host() -> Iterator[HostProcess]:
    """One host for every test that leaves nothing behind. Its event hub and its storage are away, all the time."""
    with running(extra=("--function-key", "open sesame", "--log-level", "debug")) as host:
        yield host


@pytest.fixture
def app(tmp_path: Path) -> Path:
    """A copy of the sample app, to be changed."""
    return Path(shutil.copytree(APP, tmp_path / "app"))

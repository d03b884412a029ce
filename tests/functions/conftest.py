from collections.abc import Iterator

import pytest

from tests.functions.control_plane import ControlPlane, control_plane


@pytest.fixture(scope="session")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """One function app for all tests: each uses a VM, or a person, of its own."""
    with control_plane(tmp_path_factory.mktemp("plane")) as running:
        yield running

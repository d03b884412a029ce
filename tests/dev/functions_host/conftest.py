from collections.abc import Iterator

import pytest

from tests.dev.functions_host.host_process import HostProcess, running


@pytest.fixture(scope="session")
def host() -> Iterator[HostProcess]:
    """One host for every test that leaves nothing behind. Its event hub and its storage are away, all the time."""
    with running(extra=("--function-key", "open sesame", "--log-level", "debug")) as host:
        yield host

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.dev.event_hubs.stand_in import StandIn, running


@pytest.fixture
def hub() -> Iterator[StandIn]:
    """In memory."""
    with running() as stand_in:
        yield stand_in


@pytest.fixture
def hub_on_disk(tmp_path: Path) -> Iterator[StandIn]:
    with running(tmp_path / "data") as stand_in:
        yield stand_in

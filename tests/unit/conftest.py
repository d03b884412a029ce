import pytest

from tests.fakes import FakeWorld


@pytest.fixture
def fakes() -> FakeWorld:
    return FakeWorld()

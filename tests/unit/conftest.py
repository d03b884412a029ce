import pytest

from tests.fakes import FakeDependencies


@pytest.fixture
def fakes() -> FakeDependencies:
    return FakeDependencies()

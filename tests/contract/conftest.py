from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from dev import tls
from dev.entra.keys import kept_key
from dev.stack import Stack
from dev.storage.immutability import AS_DEPLOYED
from tests.contract.arm import Arm
from tests.contract.azurite import azurite
from tests.contract.strict_storage import Strict, strict_storage
from tests.dev.local_azure import LocalAzure, NoMachines, local_azure


@pytest.fixture(scope="session")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Connection string of Azurite itself, empty."""
    with azurite(tmp_path_factory.mktemp("azurite")) as connection:
        yield connection


@pytest.fixture(scope="session")
def plain(account: str) -> Iterator[Strict]:
    """No policy on any container; queries of tables come in pages of three rows, the first of none."""
    with strict_storage(account) as made:
        yield made


@pytest.fixture(scope="session")
def worm(account: str) -> Iterator[Strict]:
    """The same account; the containers are immutable as they are deployed with `immutableDays`."""
    with strict_storage(account) as made:
        made.proxy.policies = dict(AS_DEPLOYED)
        yield made


@pytest.fixture(scope="session")
def storage(plain: Strict) -> str:
    """Connection string of a storage account as strict as Azure's."""
    return plain.connection


@pytest.fixture(scope="session")
def azure_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Key and certificate of the local Azure, made once."""
    folder = tmp_path_factory.mktemp("home")
    tls.ensure(Stack(home=folder))
    kept_key(folder)
    return folder


@pytest.fixture
async def azure(azure_home: Path) -> AsyncIterator[LocalAzure]:
    """Entra ID and ARM. Their certificate has to be named: this process trusts what it did when it started."""
    async with local_azure(azure_home, NoMachines()) as running:
        yield running


@pytest.fixture
async def arm(azure: LocalAzure) -> AsyncIterator[Arm]:
    """The adapters of ARM; they keep no answers."""
    made = Arm(azure)
    yield made
    await made.close()

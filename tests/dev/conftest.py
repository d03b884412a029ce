"""A home with the key and the certificate made once: making them is the slow part."""

from pathlib import Path

import pytest

from dev import tls
from dev.entra.keys import kept_key
from dev.stack import Stack


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("home")
    tls.ensure(Stack(home=folder))
    kept_key(folder)
    return folder

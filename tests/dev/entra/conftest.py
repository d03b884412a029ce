from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from dev.entra import app
from dev.entra.grants import Grants
from dev.entra.issuer import Issuer
from dev.entra.keys import kept_key
from dev.stack import Port, Stack
from tests.dev.entra.browser import Clock


@pytest.fixture
def stack(home: Path) -> Stack:
    return Stack(home=home)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def page(stack: Stack, clock: Clock) -> AsyncIterator[httpx.AsyncClient]:
    """A browser that keeps cookies and follows no redirect by itself."""
    issuer = Issuer(stack, kept_key(stack.home))
    transport = httpx.ASGITransport(app.build(issuer, Grants(clock)))
    async with httpx.AsyncClient(transport=transport, base_url=stack.http(Port.ENTRA_PAGE)) as client:
        yield client

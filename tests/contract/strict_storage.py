"""The storage stand-in of the contract tests: Azurite behind the proxy, in a thread of its own."""

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from dev.storage.proxy import StorageProxy
from tests.patience import PATIENCE


@dataclass(frozen=True)
class Strict:
    proxy: StorageProxy
    connection: str
    """Through the proxy."""


@contextmanager
def strict_storage(connection: str) -> Iterator[Strict]:
    """`connection`: Azurite's."""
    proxy, loop = StorageProxy(connection), asyncio.new_event_loop()
    opened = proxy.open()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    def there[T](work: Coroutine[None, None, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, loop).result(PATIENCE)

    try:
        yield Strict(proxy, there(opened.__aenter__()))
        there(opened.__aexit__(None, None, None))
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(PATIENCE)
        loop.close()

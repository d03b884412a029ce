"""The proxy before Azurite: between its look at a blob and the deed nobody else comes."""

import asyncio

from dev.storage.proxy import StorageProxy

CONNECTION = "AccountName=a;BlobEndpoint=http://127.0.0.1:1/a;TableEndpoint=http://127.0.0.1:2/a;"


async def test_requests_to_one_blob_are_looked_at_one_after_the_other() -> None:
    """Also one that comes just as another is handed its turn."""
    proxy, here, most = StorageProxy(CONNECTION), 0, 0

    async def asks(times: int) -> None:
        nonlocal here, most
        for _ in range(times):
            async with proxy._alone("/a/transcripts/b"):
                here += 1
                most = max(most, here)
                await asyncio.sleep(0)
                here -= 1

    await asyncio.gather(*(asks(10) for _ in range(4)))
    assert most == 1
    assert not proxy._locks

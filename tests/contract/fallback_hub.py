"""Run by the fallback's own Python: its task hub before an address where nobody listens, and one that answers 500.

Prints what became of each call, with all that an exception of it would tell a log. The first word is the key.
"""

import asyncio
import json
import logging
import sys
import traceback
from collections.abc import Awaitable
from typing import Any

from aiohttp import web

from shared.base.task_hub import TaskHub

KEY = sys.argv[1]
SAID = {"a": 1}


def hub_at(port: int) -> TaskHub:
    text = {
        "taskHubName": "h", "creationUrls": {}, "managementUrls": {"id": "I", "purgeHistoryDeleteUri": f"?code={KEY}"},
        "rpcBaseUrl": f"http://127.0.0.1:{port}/durabletask/", "requiredQueryStringParameters": f"code={KEY}",
    }  # fmt: skip
    return TaskHub(json.dumps(text))


async def became(call: Awaitable[Any]) -> tuple[str, str]:
    try:
        await call
    except Exception as error:  # noqa: BLE001 - it is what is asked for
        return type(error).__name__, "".join(traceback.format_exception(error))
    return "answered", ""


async def fail(_: web.Request) -> web.Response:
    """As the extension does: with whatever went wrong in it."""
    return web.json_response(f"System.Exception: it was asked with {KEY}", status=500)


async def main() -> None:
    logging.basicConfig(level=logging.DEBUG)
    app = web.Application()
    app.router.add_route("*", "/{any:.*}", fail)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    said = []
    for port in (1, runner.addresses[0][1]):
        hub = hub_at(port)
        calls = (hub.signal("e", "k", "o", SAID), hub.state("e", "k"), hub.start("o", "i", SAID))
        said.append([await became(call) for call in (*calls, hub.tell("i", "e", SAID, 5.0))])
    print(json.dumps(said))  # noqa: T201 - for the test
    await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(main())

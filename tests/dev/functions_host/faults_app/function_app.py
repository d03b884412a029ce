"""Functions that take as long as a test wants them to."""

import os
import time
from pathlib import Path

import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)
at_work = 0


@app.route(route="pid")
async def pid(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse(str(os.getpid()))


@app.route(route="hold")
def hold(req: func.HttpRequest) -> func.HttpResponse:
    """Says in the file BEGAN that it is at work with how many, and goes on until the file GO is there."""
    global at_work  # noqa: PLW0603 - one process, one count
    at_work += 1
    with Path(req.params["began"]).open("a") as began:
        began.write(f"{at_work}\n")
    while not Path(req.params["go"]).exists():
        time.sleep(0.02)
    at_work -= 1
    return func.HttpResponse(str(os.getpid()))

"""The serial log and the screenshot that Azure's boot diagnostics stores of a VM."""

import azure.durable_functions as df
import azure.functions as func

from functions.http.binary_responses import Contents, handing_out
from functions.http.operations import READS, Description
from functions.http.pipeline import RequestContext
from functions.http.requests import InvalidRequest
from functions.http.routes import INSTANCE, VM, at
from functions.http.schemas import one_of
from functions.transcript_query import GROWS, LIMIT, MOST
from shared import wiring
from shared.base.refusals import Refusal
from shared.transcript.flows.show_boot_log import boot_log, boot_screenshot
from shared.transcript.plain_text import plain

bp = df.Blueprint(http_auth_level=func.AuthLevel.ANONYMOUS)
_TEXT, _RAW = "text/plain", "application/octet-stream"
_PICTURES = ("image/bmp", "image/png", "image/jpeg")
_FORMATS = ("text", "raw")
_QUERY = {
    "format": (
        "raw: the bytes; text (if it is left out): without escape sequences",
        one_of(_FORMATS),
    ),
    "tail": ("Bytes, the last ones", {"type": "integer", "minimum": 1, "maximum": MOST}),
}


async def _log(context: RequestContext) -> Contents | Refusal:
    vm, (raw, most) = context.console(), _parse_query(context)
    log = await boot_log(
        context.dependencies, wiring.archive(), context.caller, vm, most if raw else min(most, MOST // GROWS)
    )
    if isinstance(log, Refusal):
        return log
    headers = {"x-console-offset-start": str(log.start)}
    return Contents(log.content, _RAW, headers) if raw else Contents(_text(log.content), _TEXT, headers)


def _text(content: bytes) -> bytes:
    return plain(content).encode()


def _parse_query(context: RequestContext) -> tuple[bool, int]:
    """Returns whether the raw bytes are wanted, and how many bytes from the end. Raises InvalidRequest."""
    query = context.query
    form, tail = query.get("format", "text"), query.get("tail", str(LIMIT))
    if form not in _FORMATS:
        raise InvalidRequest.because(f"format must be one of {', '.join(_FORMATS)}")
    if not (tail.isascii() and tail.isdecimal() and len(tail) <= len(str(MOST)) and 0 < int(tail) <= MOST):
        raise InvalidRequest.because(f"tail must be a number of bytes from 1 to {MOST}")
    return form == "raw", int(tail)


async def _screenshot(context: RequestContext) -> Contents | Refusal:
    screenshot = await boot_screenshot(context.dependencies, wiring.archive(), context.caller, context.console())
    return screenshot if isinstance(screenshot, Refusal) else Contents(screenshot.content, screenshot.media)


_LOGS = Description(
    "The serial log that Azure's boot diagnostics keeps", {200: {}}, READS, query=_QUERY,
    response_headers=("x-console-offset-start",), media=(_TEXT, _RAW),
)  # fmt: skip
_SHOTS = Description("The screenshot that Azure's boot diagnostics keeps", {200: {}}, READS, media=_PICTURES)
for name, place in (("", VM), ("_of_instance", INSTANCE)):
    at(
        bp,
        f"read_boot_log{name}",
        "GET",
        f"{place}/bootLog",
        handing_out("read_boot_log", _log, _QUERY),
        description=_LOGS,
    )
    at(
        bp, f"read_boot_screenshot{name}", "GET", f"{place}/bootScreenshot",
        handing_out("read_boot_screenshot", _screenshot, ()), description=_SHOTS,
    )  # fmt: skip

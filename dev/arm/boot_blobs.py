"""Where boot logs and screenshots lie, behind addresses that open for a while: blobs with a shared access signature.

Source: learn.microsoft.com/rest/api/compute/virtual-machines/retrieve-boot-diagnostics-data (addresses that expire).
The log is what the machine's serial port printed. The machines have no screen, so the screenshot is a black one.
"""

import re
import secrets
import struct

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from dev.arm.machines import Machines
from dev.arm.routing import world_of

_SIZE = (320, 200)
_RANGE = re.compile(r"bytes=(\d+)-(\d*)")
_GONE, _FORBIDDEN, _UNSATISFIABLE, _PARTIAL = 404, 403, 416, 206


def signed(address: str, stack_address: str, links: dict[str, str], machine: str) -> str:
    """The address of a blob in a storage account, led here and opened by a signature of its own."""
    signature = secrets.token_urlsafe(24)
    links[signature] = machine
    path = address.removeprefix("https://")
    return f"{stack_address}/blobs/{path}?sv=2024-11-04&sr=b&sp=r&sig={signature}%3D"


def routes(machines: Machines) -> list[Route]:
    async def read(request: Request) -> Response:
        machine = world_of(request).links.get(request.query_params.get("sig", "").removesuffix("="))
        if machine is None:
            return Response("<Error><Code>AuthenticationFailed</Code></Error>", _FORBIDDEN)
        content = _black() if request.url.path.endswith(".bmp") else await machines.printed(machine)
        if content is None:
            return Response("<Error><Code>BlobNotFound</Code></Error>", _GONE)
        return _part(content, request.headers.get("range"))

    return [Route("/blobs/{path:path}", read, methods=["GET", "HEAD"])]


def _part(content: bytes, wanted: str | None) -> Response:
    found = _RANGE.fullmatch(wanted or "")
    if found is None:
        return Response(content, media_type="application/octet-stream")
    start = int(found[1])
    if start >= len(content):
        return Response(status_code=_UNSATISFIABLE)
    end = min(int(found[2] or len(content)), len(content) - 1)
    about = {"Content-Range": f"bytes {start}-{end}/{len(content)}"}
    return Response(content[start : end + 1], _PARTIAL, about, "application/octet-stream")


def _black() -> bytes:
    """A bitmap of one bit a pixel."""
    width, height = _SIZE
    pixels = bytes(width // 8 * height)
    start = 14 + 40 + 8
    head = struct.pack("<2sIHHI", b"BM", start + len(pixels), 0, 0, start)
    about = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 1, 0, len(pixels), 2835, 2835, 2, 0)
    return head + about + bytes(4) + b"\xff\xff\xff\x00" + pixels

"""Reads boot diagnostics. Azure Resource Manager returns addresses of the data, which are valid for some minutes.

Everybody who knows such an address can read the data. It must reach no log, no answer and no exception text.
"""

from typing import Any

import aiohttp
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError
from yarl import URL

from shared.access.azure.arm_clients import ArmAccess, asking_arm, signed_out
from shared.access.ports import BootLog, Picture
from shared.base.azure_troubles import REASONED
from shared.base.caller import Caller
from shared.base.http_json import Http
from shared.base.in_time import in_time
from shared.base.ports import Dependency, Trouble, Unavailable
from shared.base.refusals import Code, Refusal, refuse
from shared.base.vm import VmId

WHAT = Dependency.BOOT_DIAGNOSTICS
PICTURE_BYTES = 4 << 20
_TIMEOUT = aiohttp.ClientTimeout(total=8, sock_connect=3, sock_read=5)
_CONFLICT, _FORBIDDEN = 409, 403
_FOUND, _NOT_FOUND = (200, 206), (404, 416)
_PIECE = 64 * 1024
_MEDIA = {b"\x89PNG": "image/png", b"BM": "image/bmp", b"\xff\xd8": "image/jpeg"}


class ArmBootLogs:
    def __init__(self, access: ArmAccess, http: Http) -> None:
        self._access, self._http = access, http

    async def log(self, caller: Caller, vm: VmId, most: int) -> BootLog | Refusal:
        address = await self._address(caller, vm, "serial_console_log_blob_uri")
        if isinstance(address, Refusal):
            return address
        async with in_time(WHAT):
            size = await self._size(address)
            if size is None:
                return _nothing(vm)
            start = max(0, size - most)
            content = await self._read(address, most, {"Range": f"bytes={start}-{start + most - 1}"}) if size else b""
        return _nothing(vm) if content is None else BootLog(content, start)

    async def screenshot(self, caller: Caller, vm: VmId) -> Picture | Refusal:
        address = await self._address(caller, vm, "console_screenshot_blob_uri")
        if isinstance(address, Refusal):
            return address
        async with in_time(WHAT):
            content = await self._read(address, PICTURE_BYTES, {})
        media = next((media for sign, media in _MEDIA.items() if (content or b"").startswith(sign)), None)
        return _nothing(vm) if content is None or media is None else Picture(content, media)

    async def _address(self, caller: Caller, vm: VmId, name: str) -> URL | Refusal:
        try:
            async with asking_arm(reasoned=REASONED | {_CONFLICT}):
                data = await _retrieved(self._access.of(caller).compute(vm.subscription), vm)
        except ClientAuthenticationError as error:
            return signed_out(error, caller)
        except HttpResponseError as error:
            return refuse(_refusal_code(error), target=vm.resource_id)
        address = str(getattr(data, name) or "")
        # The address is used unchanged: its signature covers these exact characters.
        return URL(address, encoded=True) if address.startswith("https://") else _nothing(vm)

    async def _size(self, address: URL) -> int | None:
        """Returns the size in bytes; None if there is no such blob."""
        try:
            async with self._http.session.head(address, allow_redirects=False, timeout=_TIMEOUT) as answer:
                return answer.content_length or 0 if _is_there(answer) else None
        except (aiohttp.ClientError, TimeoutError) as error:
            raise _troubled(error) from None

    async def _read(self, address: URL, most: int, headers: dict[str, str]) -> bytes | None:
        """Reads at most `most` bytes; None if there is no such blob."""
        content = bytearray()
        try:
            async with self._http.session.get(
                address, headers=headers, allow_redirects=False, timeout=_TIMEOUT
            ) as answer:
                if not _is_there(answer):
                    return None
                async for piece in answer.content.iter_chunked(_PIECE):
                    content += piece
                    if len(content) >= most:
                        break
        except (aiohttp.ClientError, TimeoutError) as error:
            raise _troubled(error) from None
        return bytes(content[:most])


async def _retrieved(compute: Any, vm: VmId) -> Any:
    if vm.scale_set:
        instances = compute.virtual_machine_scale_set_vms
        return await instances.retrieve_boot_diagnostics_data(vm.group, vm.scale_set, vm.name)
    return await compute.virtual_machines.retrieve_boot_diagnostics_data(vm.group, vm.name)


def _refusal_code(error: HttpResponseError) -> Code:
    """Returns the code for a refusal of ARM. A lock forbids this action like `connect` (microsoft/azserialconsole
    issue 115).
    """
    if error.error is not None and error.error.code == "ScopeLocked":
        return Code.RESOURCE_LOCKED
    codes = {_CONFLICT: Code.BOOT_DIAGNOSTICS_DISABLED, _FORBIDDEN: Code.TRANSCRIPT_PERMISSION_DENIED}
    return codes.get(error.status_code or 0, Code.VM_NOT_FOUND)


def _troubled(error: Exception) -> Unavailable:
    kind = Trouble.SILENT if isinstance(error, TimeoutError) else Trouble.AWAY
    return Unavailable(WHAT, type(error).__name__, kind)


def _is_there(answer: aiohttp.ClientResponse) -> bool:
    """Returns True if the blob exists. Raises Unavailable for every other status."""
    if answer.status not in (*_FOUND, *_NOT_FOUND):
        raise Unavailable(WHAT, f"its storage answered {answer.status}")
    return answer.status in _FOUND


def _nothing(vm: VmId) -> Refusal:
    return refuse(Code.BOOT_LOG_NOT_FOUND, target=vm.resource_id)

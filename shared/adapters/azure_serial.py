"""COM1 of a VM in Azure: `connect` of Microsoft.SerialConsole, then the wire of its gateway.

The wire, as public clients speak it: the ARM token goes into the address and, after opening, as a text frame; on the
first frame received it is sent again, and that frame is not shown. From then on frames are raw bytes both ways.
The token is the service's own. It never reaches a log or the text of an exception, nor does the address with it.
"""

import asyncio
import socket
from typing import Any
from urllib.parse import quote

from picows import WSError, WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

from shared.adapters.azure_serial_acts import GatewayActs
from shared.adapters.http_json import Http
from shared.domain.acts import Act
from shared.domain.refusals import Code, Refusal, refuse
from shared.domain.vm import VmId
from shared.ports import PortListener, SerialPort, Unavailable

DIAL_SECONDS = 15.0
GOODBYE_SECONDS = 3.0
"""How long the gateway's answer to our close is awaited; what it had sent before is read until then."""
GATHER_BYTES = 64 * 1024
UNREAD_BYTES = 64 * 1024
"""What this host's socket takes of what the VM printed and nobody reads; the kernel makes it twice as much. Left to
itself it takes tens of MB from a VM that waits, and a relay that is killed loses what nobody sends again."""
_TEXT, _BINARY, _CLOSE = WSMsgType.TEXT, WSMsgType.BINARY, WSMsgType.CLOSE
_CONTINUATION, _PONG = WSMsgType.CONTINUATION, WSMsgType.PONG
_ANOTHER = ("another connection", "connection was made", "displaced", "superseded")
"""What a gateway's goodbye says when somebody else connected."""
_REFUSALS = {
    403: Code.VM_PERMISSION_DENIED,
    404: Code.VM_NOT_FOUND,
    409: Code.VM_NOT_RUNNING,
}


class AzureSerialPorts:
    """A shared.ports.SerialPorts. `credential` is an azure-identity aio one, `arm` the cloud's Resource Manager."""

    def __init__(self, arm: str, credential: Any, http: Http) -> None:
        self._arm, self._credential, self._http = arm.rstrip("/"), credential, http
        self._scope = f"{self._arm}/.default"
        self._clients: dict[str, Any] = {}

    async def open(self, vm: VmId, listener: PortListener) -> SerialPort | Refusal:
        try:
            async with asyncio.timeout(DIAL_SECONDS):
                return await self._dial(vm, listener)
        except TimeoutError:
            return refuse(Code.GATEWAY_TIMEOUT, target=vm.resource_id)

    async def close(self) -> None:
        for client in self._clients.values():
            await client.close()

    async def _dial(self, vm: VmId, listener: PortListener) -> SerialPort | Refusal:
        from azure.core.exceptions import AzureError, ClientAuthenticationError, HttpResponseError  # noqa: PLC0415 - slow to import

        try:
            address = await self._connect(vm)
            token = await self._token()
        except ClientAuthenticationError:
            raise Unavailable("entra", "the relay cannot sign in") from None
        except HttpResponseError as error:
            code = _REFUSALS.get(error.status_code or 0)
            if code is None:
                raise Unavailable("arm", f"answered {error.status_code} to connect") from None
            return refuse(code, target=vm.resource_id)
        except AzureError as error:
            raise Unavailable("arm", type(error).__name__) from None
        return await _open_socket(address, token, listener, GatewayActs(vm, address, self._token, self._http))

    async def _token(self) -> str:
        """Of the service. Raises azure.core's AzureError."""
        return str((await self._credential.get_token(self._scope)).token)

    async def _connect(self, vm: VmId) -> str:
        """Address of the gateway's WebSocket for this VM."""
        kind, resource = ("virtualMachines", vm.name) if vm.scale_set is None else (
            f"virtualMachineScaleSets/{vm.scale_set}/virtualMachines", vm.name
        )  # fmt: skip
        result = await self._client(vm.subscription).serial_ports.connect(
            vm.group, "Microsoft.Compute", kind, resource, "0"
        )
        return str(result.connection_string)

    def _client(self, subscription: str) -> Any:
        if (client := self._clients.get(subscription)) is None:
            from azure.mgmt.serialconsole.aio import MicrosoftSerialConsoleClient  # noqa: PLC0415 - slow to import

            client = self._clients[subscription] = MicrosoftSerialConsoleClient(
                self._credential, subscription, base_url=self._arm, credential_scopes=[self._scope], retry_total=2
            )
        return client


async def _open_socket(address: str, token: str, listener: PortListener, acts: GatewayActs) -> SerialPort:
    """Returns once bytes can flow. Raises Unavailable."""
    port = GatewayPort(token, listener, acts)
    try:
        await ws_connect(
            lambda: port, f"{address}?authorization={quote(token, safe='')}&new=1", max_redirects=0,
            websocket_handshake_timeout=DIAL_SECONDS, enable_auto_ping=True, auto_ping_idle_timeout=20,
            auto_ping_reply_timeout=20,
        )  # fmt: skip
        await port.exchanged
    except (WSError, OSError, ValueError) as error:  # their texts quote the address
        raise Unavailable("serial gateway", type(error).__name__) from None
    except asyncio.CancelledError:
        port.cut()
        raise
    return port


class GatewayPort(WSListener):
    """An open COM1: a shared.ports.SerialPort."""

    def __init__(self, token: str, listener: PortListener, acts: GatewayActs) -> None:
        super().__init__()
        self._acts = acts
        self._token: str | None = token
        """Until the first frame was answered with it."""
        self.exchanged: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Done when bytes flow."""
        self._listener: PortListener | None = listener
        self._held = bytearray()
        """Printed frames of one read: told together, because QEMU writes byte by byte."""
        self._socket: WSTransport | None = None
        self._lost = (False, "the connection was cut")
        self._closing = False
        """A close was sent."""
        self._ended = asyncio.Event()

    # --- as the relay uses it ---------------------------------------------------------------------------------

    def type(self, data: bytes) -> None:
        """Key bytes go in text frames; bytes that are not UTF-8 cannot, and go in binary ones."""
        if self._socket is not None:
            self._socket.send(_TEXT if data.isascii() or _is_utf8(data) else _BINARY, data)

    def pause(self) -> None:
        if self._socket is not None:
            self._socket.underlying_transport.pause_reading()

    def resume(self) -> None:
        if self._socket is not None:
            self._socket.underlying_transport.resume_reading()

    async def command(self, act: Act, keys: str) -> Refusal | None:
        return await self._acts.send(act, keys)

    async def close(self) -> None:
        wire = self._socket
        if wire is None or wire.is_disconnected:
            return
        try:
            if not self._closing:
                self._closing = True
                wire.send_close(1000, b"")  # type: ignore[arg-type]  # an int is what it takes
            wire.underlying_transport.resume_reading()
            async with asyncio.timeout(GOODBYE_SECONDS):
                await self._ended.wait()
        except TimeoutError:
            pass
        finally:
            self.cut()

    def cut(self) -> None:
        """Without a word."""
        if self._socket is not None and not self._socket.is_disconnected:
            self._socket.disconnect(False)  # noqa: FBT003 - picows' own: not after what is still to be written

    # --- as picows calls it -----------------------------------------------------------------------------------

    def on_ws_connected(self, transport: WSTransport) -> None:
        self._socket = transport
        wire = transport.underlying_transport.get_extra_info("socket")
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, UNREAD_BYTES)
        transport.send(_TEXT, self._token or "")

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        kind = frame.msg_type
        if kind in (_TEXT, _BINARY, _CONTINUATION):
            self._read(transport, frame)
        elif kind == _CLOSE:
            self._closed_by_gateway(transport, frame)
        if self._held and (frame.last_in_buffer or len(self._held) >= GATHER_BYTES):
            held, self._held = bytes(self._held), bytearray()
            if self._listener is not None:
                self._listener.printed(held)

    def _read(self, transport: WSTransport, frame: WSFrame) -> None:
        if self._token is not None:
            transport.send(_TEXT, self._token)
            self._token = None
            self.exchanged.set_result(None)
        else:
            self._held += frame.get_payload_as_memoryview()

    def _closed_by_gateway(self, transport: WSTransport, frame: WSFrame) -> None:
        reason = frame.get_close_message() or b""
        text = reason.decode("utf-8", "replace").lower()
        taken_over = any(sign in text for sign in _ANOTHER)
        self._lost = (taken_over, f"closed by the gateway with {frame.get_close_code():d}")
        if not self._closing:
            self._closing = True
            transport.send_close(frame.get_close_code(), b"")
        transport.disconnect()

    def pause_writing(self) -> None:
        """What is typed waits in the socket's buffer: paste is bounded by the browser's own frames."""

    def resume_writing(self) -> None:
        pass

    def on_ws_disconnected(self, transport: WSTransport) -> None:  # noqa: ARG002 - as picows calls it
        listener, self._listener = self._listener, None
        self._ended.set()
        if not self.exchanged.done():
            self.exchanged.set_exception(ConnectionResetError("closed before bytes could flow"))
        elif listener is not None:
            if self._held:
                listener.printed(bytes(self._held))
            listener.lost(*self._lost)


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True

"""A VM's COM1 through Microsoft.SerialConsole: ask ARM for the gateway's address, then speak its WebSocket.

The wire (read in the public command-line client and the API specification): connect to
`{connectionString}?authorization={ARM token}&new=1`, send the bare token as a text frame, send it again on the first
frame received, which is not shown; from then on frames are raw serial bytes both ways. The last connection wins.
The token travels in that address, so neither the address nor an exception that quotes it ever leaves this file.
"""

import asyncio
import ssl
from typing import Any

from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import AzureError, ClientAuthenticationError, HttpResponseError
from picows import WSError, WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

from shared.domain.refusals import Code, Refusal, refuse
from shared.domain.vm import VmId
from shared.ports import PortListener, SerialPort, Unavailable

DIAL_SECONDS = 15.0
"""From the question to ARM until bytes can flow."""
MAX_FRAME = 16 * 1024 * 1024
PING_SECONDS = 20.0
_REFUSED = {403: Code.VM_PERMISSION_DENIED, 404: Code.VM_NOT_FOUND, 409: Code.VM_NOT_RUNNING}
_DISPLACED = "another connection"
"""What the gateway's goodbye says when somebody else connected, for example in the portal."""


class AzureSerial:
    """SerialPorts with the relay's own identity. `arm` is the cloud's Azure Resource Manager."""

    def __init__(self, arm: str, credential: AsyncTokenCredential) -> None:
        self._arm = arm
        self._scope = f"{arm}/.default"
        self._credential = credential
        self._clients: dict[str, Any] = {}

    async def open(self, vm: VmId, listener: PortListener) -> SerialPort | Refusal:
        """Returns once bytes can flow; nothing is printed before the caller's next await. Raises Unavailable."""
        try:
            async with asyncio.timeout(DIAL_SECONDS):
                address = await self._connect(vm)
                if isinstance(address, Refusal):
                    return address
                token = (await self._credential.get_token(self._scope)).token
                return await _dial(address, token, listener)
        except TimeoutError:
            return refuse(Code.GATEWAY_TIMEOUT, target=vm.resource_id)
        except AzureError as error:
            raise Unavailable("serial port", type(error).__name__) from None

    async def close(self) -> None:
        for client in self._clients.values():
            await client.close()

    async def _connect(self, vm: VmId) -> str | Refusal:
        """The gateway's address for this VM's port 0."""
        kind, parent = "virtualMachines", vm.name
        if vm.scale_set:
            kind, parent = "virtualMachineScaleSets", f"{vm.scale_set}/virtualMachines/{vm.name}"
        ports = self._client(vm.subscription).serial_ports
        try:
            answer = await ports.connect(vm.group, "Microsoft.Compute", kind, parent, "0")
        except ClientAuthenticationError:
            raise Unavailable("entra", "the relay cannot sign in") from None
        except HttpResponseError as error:
            if error.status_code in _REFUSED:
                return refuse(_REFUSED[error.status_code], target=vm.resource_id)
            raise Unavailable("arm", f"answered {error.status_code} to a connect") from None
        return str(answer.connection_string)

    def _client(self, subscription: str) -> Any:
        from azure.mgmt.serialconsole.aio import MicrosoftSerialConsoleClient  # noqa: PLC0415 - slow to import

        if subscription not in self._clients:
            self._clients[subscription] = MicrosoftSerialConsoleClient(
                self._credential,
                subscription,
                base_url=self._arm,
                credential_scopes=[self._scope],
                retry_total=2,
                retry_backoff_factor=0.4,
            )
        return self._clients[subscription]


async def _dial(address: str, token: str, listener: PortListener) -> "AzurePort":
    port = AzurePort(token, listener)
    try:
        await ws_connect(
            lambda: port,
            f"{address}?authorization={token}&new=1",
            ssl_context=ssl.create_default_context(),
            websocket_handshake_timeout=DIAL_SECONDS,
            max_frame_size=MAX_FRAME,
            max_redirects=0,
            enable_auto_ping=True,
            auto_ping_idle_timeout=PING_SECONDS,
            auto_ping_reply_timeout=PING_SECONDS,
        )
        await port.exchanged
    except (WSError, OSError, ValueError) as error:
        raise Unavailable("serial gateway", type(error).__name__) from None
    finally:
        port.forget_token()
    asyncio.get_running_loop().call_soon(port.flow)
    return port


class AzurePort(WSListener):
    """An open COM1. What gathered in one read is printed at once: the VM's host may send a frame for every byte."""

    def __init__(self, token: str, listener: PortListener) -> None:
        self._token: str | None = token
        self._listener = listener
        self._gathered: list[bytes] = []
        self._flowing = False
        self._closing = False
        self._paused = False
        self._goodbye = ""
        self._transport: WSTransport | None = None
        self.exchanged: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    # --- SerialPort ---

    def type(self, data: bytes) -> None:
        if self._transport is None:
            return
        try:
            data.decode()
        except UnicodeDecodeError:
            self._transport.send(WSMsgType.BINARY, data)
        else:
            self._transport.send(WSMsgType.TEXT, data)

    def pause(self) -> None:
        self._paused = True
        if self._transport is not None:
            self._transport.underlying_transport.pause_reading()

    def resume(self) -> None:
        self._paused = False
        if self._transport is not None:
            self._transport.underlying_transport.resume_reading()

    async def close(self) -> None:
        """Returns at once when the port is gone already."""
        self._closing = True
        if self._transport is not None:
            self._transport.send_close()
            self._transport.disconnect()

    # --- towards the dial ---

    def forget_token(self) -> None:
        self._token = None

    def flow(self) -> None:
        """The caller of `open` knows the port now: what came with the handshake may be printed."""
        self._flowing = True
        self._print()
        if self._transport is None:
            self._lost()

    # --- WSListener ---

    def on_ws_connected(self, transport: WSTransport) -> None:
        self._transport = transport
        self._send_token()

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type is WSMsgType.CLOSE:
            self._goodbye = frame.get_close_message().decode(errors="replace") if frame.payload_size > 2 else ""  # noqa: PLR2004 - the code's two bytes
            transport.send_close(frame.get_close_code())
            transport.disconnect()
        elif frame.msg_type in (WSMsgType.TEXT, WSMsgType.BINARY, WSMsgType.CONTINUATION):
            self._received(frame)

    def on_ws_disconnected(self, transport: WSTransport) -> None:  # noqa: ARG002 - the library's signature
        self._transport = None
        if not self.exchanged.done():
            self.exchanged.set_exception(ConnectionResetError("the gateway closed before bytes could flow"))
        elif self._flowing:
            self._lost()

    def _received(self, frame: WSFrame) -> None:
        if not self.exchanged.done():
            self._send_token()
            self.exchanged.set_result(None)
            return
        self._gathered.append(frame.get_payload_as_bytes())
        if frame.last_in_buffer:
            self._print()

    def _print(self) -> None:
        if self._flowing and self._gathered:
            data = self._gathered[0] if len(self._gathered) == 1 else b"".join(self._gathered)
            self._gathered.clear()
            if not self._closing:
                self._listener.printed(data)

    def _lost(self) -> None:
        self._print()
        if not self._closing:
            self._closing = True
            self._listener.lost(_DISPLACED in self._goodbye.lower(), self._goodbye or "the connection broke")

    def _send_token(self) -> None:
        if self._token is not None and self._transport is not None:
            self._transport.send(WSMsgType.TEXT, self._token.encode())

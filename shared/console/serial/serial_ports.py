"""COM1 of a VM in Azure: `connect` of Microsoft.SerialConsole, then the wire of its gateway.

The token is the service's own. It never reaches a log or the text of an exception, nor, where it has to stand in one,
the address. How it is asked for, and in which order that is tried: shared/console/gateway_exchange.py.
"""

import asyncio
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from shared.base.http_json import Http
from shared.base.ports import Dependency, Unavailable
from shared.base.refusals import Code, Refusal, refuse
from shared.base.vm import VmId
from shared.console.connect_refusals import ConnectError, refusal_of_connect
from shared.console.ports import PortListener, SerialPort
from shared.console.serial.commands import GatewayCommands
from shared.console.serial.gateway_memory import CloseMemory, FlowMemory
from shared.console.serial.gateway_port import DIAL_SECONDS, GatewayClose, GatewayPort, dial

CONNECT_SECONDS = 10.0
"""How long ARM may be silent over `connect`, which reaches to the VM's host."""


class AzureSerialPorts:
    """A shared.console.ports.SerialPorts. `credential` is an azure-identity aio one, `arm` the Resource Manager."""

    def __init__(self, arm: str, credential: Any, http: Http) -> None:
        self._arm, self._credential, self._http = arm.rstrip("/"), credential, http
        self._scope = f"{self._arm}/.default"
        self._clients: dict[str, Any] = {}
        self._flows, self._goodbyes = FlowMemory(), CloseMemory()

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

        from shared.base.azure_troubles import troubled  # noqa: PLC0415 - as above

        try:
            address = await self._connect(vm)
            token = await self._token()
        except ClientAuthenticationError:
            raise Unavailable(Dependency.ENTRA, "the relay cannot sign in") from None
        except HttpResponseError as error:
            if (refusal := refusal_of_connect(_connect_error(error), vm.resource_id)) is None:
                raise troubled(error) from None
            return refusal
        except AzureError as error:
            raise troubled(error) from None
        return await self._speak(vm, address, token, listener)

    async def _speak(self, vm: VmId, address: str, token: str, listener: PortListener) -> SerialPort | Refusal:
        """In the first flow that the gateway takes. Raises Unavailable."""
        host = urlsplit(address).netloc
        acts = GatewayCommands(vm, address, self._token, self._http)
        for flow in self._flows.to_try(host):
            again = partial(self._goodbyes.again, vm.console)
            port = GatewayPort(flow, token, listener, acts, target=vm.resource_id, again=again)
            outcome = await dial(port, flow.address(address, token))
            if outcome is GatewayClose.OPENED:
                self._flows.worked(host, flow)
                port.when_distrusted = partial(self._flows.failed, host)
                return port
            if outcome is not GatewayClose.OTHER_FLOW:
                return outcome
        raise Unavailable(Dependency.SERIAL_GATEWAY, "it takes the service's token in no way that is known")

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

            from shared.base.azure_troubles import prompt_options, prompt_transport  # noqa: PLC0415 - as above

            client = self._clients[subscription] = MicrosoftSerialConsoleClient(
                self._credential, subscription, base_url=self._arm, credential_scopes=[self._scope],
                transport=prompt_transport(CONNECT_SECONDS), **prompt_options(),
            )  # fmt: skip
        return client


def _connect_error(error: Any) -> ConnectError:
    envelope = error.error
    return ConnectError(
        error.status_code or 0, str((envelope and envelope.code) or ""), str((envelope and envelope.message) or "")
    )

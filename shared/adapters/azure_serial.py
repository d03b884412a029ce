"""COM1 of a VM in Azure: `connect` of Microsoft.SerialConsole, then the wire of its gateway.

The token is the service's own. It never reaches a log or the text of an exception, nor, where it has to stand in one,
the address. How it is asked for, and in which order that is tried: shared/domain/gateway_exchange.py.
"""

import asyncio
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from shared.adapters.azure_serial_acts import GatewayActs
from shared.adapters.azure_serial_memory import Flows, Goodbyes
from shared.adapters.azure_serial_port import DIAL_SECONDS, Ending, GatewayPort, dial
from shared.adapters.http_json import Http
from shared.domain.refusals import Code, Refusal, refuse
from shared.domain.vm import VmId
from shared.ports import PortListener, SerialPort, Unavailable

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
        self._flows, self._goodbyes = Flows(), Goodbyes()

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
        return await self._speak(vm, address, token, listener)

    async def _speak(self, vm: VmId, address: str, token: str, listener: PortListener) -> SerialPort | Refusal:
        """In the first flow that the gateway takes. Raises Unavailable."""
        host = urlsplit(address).netloc
        acts = GatewayActs(vm, address, self._token, self._http)
        for flow in self._flows.to_try(host):
            again = partial(self._goodbyes.again, vm.console)
            port = GatewayPort(flow, token, listener, acts, target=vm.resource_id, again=again)
            outcome = await dial(port, flow.address(address, token))
            if outcome is Ending.OPENED:
                self._flows.worked(host, flow)
                port.when_distrusted = partial(self._flows.failed, host)
                return port
            if outcome is not Ending.OTHER_FLOW:
                return outcome
        raise Unavailable("serial gateway", "it takes the service's token in no way that is known")

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

"""The real, unpatched management SDKs against the stand-in, over https."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError, ResourceNotFoundError
from azure.identity.aio import ClientSecretCredential, OnBehalfOfCredential
from azure.mgmt.authorization.aio import AuthorizationManagementClient
from azure.mgmt.compute.aio import ComputeManagementClient
from azure.mgmt.serialconsole.aio import MicrosoftSerialConsoleClient

from dev.demo import (
    ADA,
    ALAN,
    API_SECRET,
    ASSIGNMENTS,
    GRACE,
    RELAY,
    SERVICE,
    SUBSCRIPTION,
    TENANT,
    VM_CONTRIBUTOR,
    Person,
    group,
)
from dev.entra.tokens import expired_token, user_token, wrong_audience_token
from dev.stack import Port
from tests.dev.local_azure import LocalAzure, NoMachines, local_azure


@pytest.fixture
async def azure(home: Path) -> AsyncIterator[LocalAzure]:
    async with local_azure(home, NoMachines()) as running:
        yield running


def said(refused: pytest.ExceptionInfo[HttpResponseError]) -> tuple[int, str, str]:
    """Status, code and message of ARM's answer, as the SDK read them."""
    problem = refused.value
    assert problem.error is not None
    return problem.status_code or 0, problem.error.code or "", problem.error.message or ""


class Sdk:
    """Makes SDK clients as the application makes them, only with other addresses."""

    def __init__(self, azure: LocalAzure) -> None:
        self._stack = azure.stack
        self._trust: dict[str, Any] = {"connection_verify": str(azure.stack.ca), "retry_total": 0}

    def client(self, kind: Any, credential: Any) -> Any:
        arm = self._stack.https(Port.ARM)
        scopes = [f"{arm}/.default"]
        options = {"base_url": arm, "credential_scopes": scopes, "polling_interval": 0, **self._trust}
        return kind(credential, SUBSCRIPTION, **options)

    def itself(self, secret: str = API_SECRET) -> ClientSecretCredential:
        return ClientSecretCredential(TENANT, SERVICE.client, secret, **self._entra())

    def relay(self) -> ClientSecretCredential:
        return ClientSecretCredential(TENANT, RELAY.client, RELAY.secret, **self._entra())

    def on_behalf_of(self, person: Person, assertion: str | None = None) -> OnBehalfOfCredential:
        token = assertion or user_token(self._stack, person)
        return OnBehalfOfCredential(
            TENANT, SERVICE.client, client_secret=API_SECRET, user_assertion=token, **self._entra()
        )

    def _entra(self) -> dict[str, Any]:
        return {"authority": self._stack.authority, "disable_instance_discovery": True, **self._trust}


@pytest.fixture
def sdk(azure: LocalAzure) -> Sdk:
    return Sdk(azure)


async def test_the_service_reads_a_vm_with_its_instance_view_as_itself(sdk: Sdk) -> None:
    async with sdk.itself() as credential, sdk.client(ComputeManagementClient, credential) as compute:
        vm = await compute.virtual_machines.get("rg-web", "web-01", expand="instanceView")
        assert vm.name == "web-01"
        assert vm.provisioning_state == "Succeeded"
        assert vm.diagnostics_profile.boot_diagnostics.enabled is True
        assert vm.os_profile.linux_configuration.disable_password_authentication is False
        assert [status.code for status in vm.instance_view.statuses] == [
            "ProvisioningState/succeeded",
            "PowerState/running",
        ]


async def test_the_fleets_oddities_show_as_arm_shows_them(sdk: Sdk) -> None:
    async with sdk.itself() as credential, sdk.client(ComputeManagementClient, credential) as compute:
        vms = {vm.name: vm async for vm in compute.virtual_machines.list_all(status_only="true")}
        assert {name: vm.instance_view.statuses[-1].code for name, vm in vms.items()} == {
            "web-01": "PowerState/running",
            "web-02": "PowerState/deallocated",
            "web-03": "PowerState/running",
            "web-04": "PowerState/running",
            "web-05": "PowerState/running",
            "db-01": "PowerState/running",
            "win-01": "PowerState/running",
        }
        assert {vm.diagnostics_profile for vm in vms.values()} == {None}  # a list of states tells nothing else
        vms = {vm.name: vm async for vm in compute.virtual_machines.list_all()}
        assert {vm.instance_view for vm in vms.values()} == {None}
        assert "/resourceGroups/RG-WEB/" in vms["web-03"].id
        assert vms["web-03"].diagnostics_profile.boot_diagnostics.enabled is False
        assert vms["web-04"].os_profile.linux_configuration.disable_password_authentication is True
        assert vms["web-05"].provisioning_state == "Updating"
        uri = vms["db-01"].diagnostics_profile.boot_diagnostics.storage_uri
        assert uri == "https://stcontosodiag.blob.core.windows.net/"


async def test_a_list_longer_than_a_page_comes_whole(azure: LocalAzure, sdk: Sdk) -> None:
    azure.world.page_size = 2
    async with sdk.itself() as credential, sdk.client(ComputeManagementClient, credential) as compute:
        assert len([vm async for vm in compute.virtual_machines.list("rg-web")]) == 6
        assert [vm.name async for vm in compute.virtual_machines.list("rg-data")] == ["db-01"]


async def test_a_contributor_starts_a_vm_and_waits_for_it(sdk: Sdk) -> None:
    async with sdk.on_behalf_of(ADA) as credential, sdk.client(ComputeManagementClient, credential) as compute:
        await (await compute.virtual_machines.begin_start("rg-web", "web-02")).result()
        view = await compute.virtual_machines.instance_view("rg-web", "web-02")
        assert view.statuses[-1].code == "PowerState/running"
        await (await compute.virtual_machines.begin_deallocate("rg-web", "web-02")).result()
        view = await compute.virtual_machines.instance_view("rg-web", "web-02")
        assert view.statuses[-1].code == "PowerState/deallocated"


async def test_boot_diagnostics_are_where_the_vm_says(sdk: Sdk) -> None:
    async with sdk.on_behalf_of(ADA) as credential, sdk.client(ComputeManagementClient, credential) as compute:
        data = await compute.virtual_machines.retrieve_boot_diagnostics_data("rg-data", "db-01")
        assert "/stcontosodiag.blob.core.windows.net/" in data.serial_console_log_blob_uri
        with pytest.raises(HttpResponseError) as refused:
            await compute.virtual_machines.retrieve_boot_diagnostics_data("rg-web", "web-03")
        assert said(refused)[1] == "OperationNotAllowed"


async def test_a_reader_may_look_and_is_told_what_is_missing_to_act(sdk: Sdk) -> None:
    async with sdk.on_behalf_of(ALAN) as credential, sdk.client(ComputeManagementClient, credential) as compute:
        await compute.virtual_machines.get("rg-web", "web-01")
        with pytest.raises(HttpResponseError) as refused:
            await compute.virtual_machines.begin_start("rg-web", "web-01")
        status, code, message = said(refused)
        assert (status, code) == (403, "AuthorizationFailed")
        assert message.startswith(
            f"The client 'alan@contoso.example' with object id '{ALAN.oid}' does not have authorization to perform "
            "action 'Microsoft.Compute/virtualMachines/start/action' over scope '/subscriptions/"
        )


async def test_a_vm_that_is_not_there_is_not_found_in_arms_words(sdk: Sdk) -> None:
    async with sdk.itself() as credential, sdk.client(ComputeManagementClient, credential) as compute:
        with pytest.raises(ResourceNotFoundError) as refused:
            await compute.virtual_machines.get("rg-web", "nope")
        assert said(refused)[2] == (
            "The Resource 'Microsoft.Compute/virtualMachines/nope' under resource group 'rg-web' was not found. "
            "For more details please go to https://aka.ms/ARMResourceNotFoundFix"
        )


async def test_the_scale_set_has_two_instances_and_the_second_is_behind_its_model(sdk: Sdk) -> None:
    async with sdk.on_behalf_of(ADA) as credential, sdk.client(ComputeManagementClient, credential) as compute:
        scale_set = await compute.virtual_machine_scale_sets.get("rg-web", "workers")
        assert scale_set.orchestration_mode == "Uniform"
        listed = [one async for one in compute.virtual_machine_scale_set_vms.list("rg-web", "workers")]
        assert [(one.instance_id, one.latest_model_applied) for one in listed] == [("0", True), ("1", False)]
        first = await compute.virtual_machine_scale_set_vms.get("rg-web", "workers", "0", expand="instanceView")
        assert first.instance_view.statuses[-1].code == "PowerState/running"


async def test_permissions_are_the_callers_own(sdk: Sdk) -> None:
    async with (
        sdk.on_behalf_of(GRACE) as credential,
        sdk.client(AuthorizationManagementClient, credential) as authorization,
    ):
        listing = authorization.permissions.list_for_resource
        on_web = [one async for one in listing("rg-web", "Microsoft.Compute", "", "virtualMachines", "web-01")]
        on_data = [one async for one in listing("rg-data", "Microsoft.Compute", "", "virtualMachines", "db-01")]
        assert "Microsoft.Compute/virtualMachines/*" in on_web[0].actions
        assert on_data[0].actions == ["*/read"]


async def test_the_service_reads_anybodys_assignments_and_what_their_roles_allow(azure: LocalAzure, sdk: Sdk) -> None:
    azure.world.page_size = 1
    scope = f"{group('rg-web')}/providers/Microsoft.Compute/virtualMachines/web-01"
    async with sdk.itself() as credential, sdk.client(AuthorizationManagementClient, credential) as authorization:
        listing = authorization.role_assignments.list_for_scope
        every = [one async for one in listing(scope)]
        assert len(every) == len([one for one in ASSIGNMENTS if one.scope != group("rg-data")])
        mine = [one async for one in listing(scope, filter=f"atScope() and assignedTo('{GRACE.oid}')")]
        assert [(one.principal_id, one.scope) for one in mine] == [(GRACE.oid, group("rg-web"))]
        role = await authorization.role_definitions.get_by_id(mine[0].role_definition_id)
        assert role.name == VM_CONTRIBUTOR
        assert "Microsoft.SerialConsole/serialPorts/connect/action" in role.permissions[0].actions
        assert [one async for one in authorization.deny_assignments.list_for_scope(scope)] == []


async def test_connect_answers_the_gateways_address_for_a_vm_and_for_an_instance(azure: LocalAzure, sdk: Sdk) -> None:
    async with sdk.relay() as credential, sdk.client(MicrosoftSerialConsoleClient, credential) as console:
        connect = console.serial_ports.connect
        at_vm = await connect("rg-web", "Microsoft.Compute", "virtualMachines", "web-01", "0")
        gateway = azure.stack.port(Port.GATEWAY)
        assert at_vm.connection_string.startswith(f"wss://localhost:{gateway}/n/connector/web-01/sessions/")
        assert at_vm.connection_string.endswith("/client")
        instance = "workers/virtualMachines/0"
        at_instance = await connect("rg-web", "Microsoft.Compute", "virtualMachineScaleSets", instance, "0")
        assert "/n/connector/workers_0/sessions/" in at_instance.connection_string


async def test_connect_is_refused_where_azure_refuses_it(sdk: Sdk) -> None:
    async def refusal(console: Any, where: str, vm: str) -> tuple[int, str]:
        with pytest.raises(HttpResponseError) as refused:
            await console.serial_ports.connect(where, "Microsoft.Compute", "virtualMachines", vm, "0")
        return said(refused)[:2]

    async with sdk.relay() as credential, sdk.client(MicrosoftSerialConsoleClient, credential) as console:
        assert await refusal(console, "rg-web", "nope") == (404, "ResourceNotFound")
        assert await refusal(console, "rg-web", "web-02") == (409, "Conflict")
    async with sdk.on_behalf_of(GRACE) as grace, sdk.client(MicrosoftSerialConsoleClient, grace) as console:
        assert await refusal(console, "rg-data", "db-01") == (403, "AuthorizationFailed")


async def test_the_subscriptions_switch_closes_and_opens_the_console(sdk: Sdk) -> None:
    async with sdk.on_behalf_of(ADA) as credential, sdk.client(MicrosoftSerialConsoleClient, credential) as console:
        assert (await console.get_console_status("default")).properties.disabled is False
        await console.disable_console("default")
        assert (await console.get_console_status("default")).properties.disabled is True
        with pytest.raises(HttpResponseError) as refused:
            await console.serial_ports.connect("rg-web", "Microsoft.Compute", "virtualMachines", "web-01", "0")
        assert refused.value.status_code == 403
        await console.enable_console("default")
        ports = await console.serial_ports.list("rg-web", "Microsoft.Compute", "virtualMachines", "web-01")
        assert [port.name for port in ports.value] == ["0"]


async def test_a_wrong_secret_is_refused_with_entras_number(sdk: Sdk) -> None:
    async with sdk.itself(secret="wrong") as credential:
        with pytest.raises(ClientAuthenticationError, match="AADSTS7000215"):
            await credential.get_token("https://management.azure.com/.default")


async def test_on_behalf_of_is_refused_for_a_token_that_is_old_or_meant_for_others(azure: LocalAzure, sdk: Sdk) -> None:
    async with sdk.on_behalf_of(ADA, expired_token(azure.stack, ADA)) as credential:
        with pytest.raises(ClientAuthenticationError, match="AADSTS500133"):
            await credential.get_token("https://management.azure.com/.default")
    async with sdk.on_behalf_of(ADA, wrong_audience_token(azure.stack, ADA)) as credential:
        with pytest.raises(ClientAuthenticationError, match="AADSTS500131"):
            await credential.get_token("https://management.azure.com/.default")

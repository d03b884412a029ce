"""The admin hooks: every state of Azure that a test or a demonstration needs can be made, and taken back."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from dev.arm import app
from dev.demo import ADA, ALAN, GRACE, OTHER_SUBSCRIPTION, READER, SUBSCRIPTION, Person, group
from dev.entra.keys import kept_key
from dev.entra.tokens import user_token
from dev.stack import Port, Stack
from tests.dev.local_azure import NoMachines

ARM = "https://management.azure.com"
WHOLE = f"/subscriptions/{SUBSCRIPTION}"
VM = f"{group('rg-web')}/providers/Microsoft.Compute/virtualMachines/web-01"
RESTART = "Microsoft.Compute/virtualMachines/restart/action"
OTHER = OTHER_SUBSCRIPTION
TEAM = "0a0c0000-0000-4000-8000-0000000000aa"


class Azure:
    """The stand-in, asked by people and changed by hooks."""

    def __init__(self, home: Stack, http: httpx.AsyncClient) -> None:
        self._stack, self._http = home, http

    async def ask(self, who: Person, path: str, method: str = "GET", body: Any = None) -> httpx.Response:
        token = user_token(self._stack, who, audience=ARM)
        address, _, query = path.partition("?")
        return await self._http.request(
            method,
            f"{address}?api-version=2024-01-01&{query}",
            headers={"Authorization": f"Bearer {token}"},
            json=body,
        )

    async def may(self, who: Person, act: str = "restart") -> bool:
        return (await self.ask(who, f"{VM}/{act}", "POST")).is_success

    async def change(self, method: str, hook: str, body: Any = None) -> httpx.Response:
        return await self._http.request(method, f"/admin/{hook}", json=body)

    async def made(self, method: str, hook: str, body: Any = None) -> None:
        assert (await self.change(method, hook, body)).is_success


@pytest.fixture
async def azure(home: Path) -> AsyncIterator[Azure]:
    stack = Stack(home=home)
    transport = httpx.ASGITransport(app.build(stack, kept_key(stack.home), NoMachines()))
    async with httpx.AsyncClient(transport=transport, base_url=stack.https(Port.ARM)) as client:
        yield Azure(stack, client)


async def test_a_lock_stops_acts_below_it_and_reading_nowhere(azure: Azure) -> None:
    await azure.made("POST", "locks", [{"name": "freeze", "scope": group("rg-web")}])
    refused = await azure.ask(ADA, f"{VM}/restart", "POST")
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "ScopeLocked")
    assert (await azure.ask(ADA, VM)).is_success
    await azure.made("POST", "locks", [{"name": "keep", "scope": WHOLE, "level": "CanNotDelete"}])
    assert await azure.may(ADA)


async def test_a_denial_takes_away_what_a_role_gives_but_not_from_whom_it_excludes(azure: Azure) -> None:
    denial = {"principals": [ADA.oid, GRACE.oid], "scope": WHOLE, "actions": [RESTART], "excluded": [GRACE.oid]}
    await azure.made("POST", "denials", [denial])
    assert (await azure.may(ADA), await azure.may(GRACE)) == (False, True)
    listed = (await azure.ask(ADA, f"{VM}/providers/Microsoft.Authorization/denyAssignments")).json()["value"]
    assert [one["properties"]["scope"] for one in listed] == [WHOLE]
    await azure.made("POST", "denials", [{**denial, "only_this_scope": True}])
    assert await azure.may(ADA)


async def test_a_custom_role_reaches_the_members_of_the_group_that_has_it(azure: Azure) -> None:
    await azure.made("PUT", "roles/C0", {"name": "Restarter", "actions": ["*/read", "Microsoft.Compute/*/action"]})
    await azure.made("PUT", f"groups/{TEAM}", [ALAN.oid])
    await azure.made("POST", "assignments", [{"principal": TEAM, "role": "c0", "scope": WHOLE}])
    assert (await azure.may(ALAN), await azure.may(ADA)) == (True, False)
    listed = await azure.ask(ALAN, "/providers/Microsoft.Authorization/roleDefinitions?$filter=roleName eq 'Restarter'")
    assert [one["properties"]["type"] for one in listed.json()["value"]] == ["CustomRole"]
    await azure.made("PUT", "roles/c0", {"actions": ["Microsoft.Compute/*"], "not_actions": ["*/restart/action"]})
    assert (await azure.may(ALAN), await azure.may(ALAN, "start")) == (False, True)


async def test_a_condition_is_told_with_the_permission(azure: Azure) -> None:
    await azure.made(
        "POST", "assignments", [{"principal": ADA.oid, "role": READER, "scope": WHOLE, "condition": "@Resource"}]
    )
    told = (await azure.ask(ADA, f"{VM}/providers/Microsoft.Authorization/permissions")).json()["value"]
    assert [one["condition"] for one in told] == ["@Resource"]


async def test_accounts_come_go_and_hide_and_keep_their_names(azure: Azure) -> None:
    async def free(name: str) -> bool:
        path = f"{WHOLE}/providers/Microsoft.Storage/checkNameAvailability"
        return bool((await azure.ask(ADA, path, "POST", {"name": name})).json()["nameAvailable"])

    at = f"{group('rg-web')}/providers/Microsoft.Storage/storageAccounts/stnew"
    assert await free("stnew")
    rules = {"default_action": "Deny", "public_access": "Disabled"}
    await azure.made("PUT", "accounts/stnew", {"group": "rg-web", **rules})
    told = (await azure.ask(ADA, at)).json()["properties"]
    assert (told["networkAcls"]["defaultAction"], told["publicNetworkAccess"]) == ("Deny", "Disabled")
    await azure.made("PUT", "accounts/stnew", {"group": "rg-web", "hidden": True})
    assert ((await azure.ask(ADA, at)).status_code, await free("stnew")) == (404, False)
    await azure.made("PUT", "accounts/stnew", {"group": "rg-web", "subscription": OTHER_SUBSCRIPTION})
    assert (await azure.ask(ADA, at)).status_code == 404
    await azure.made("DELETE", "accounts/stnew")
    assert await free("stnew")


async def test_azures_switch_is_each_subscriptions_own(azure: Azure) -> None:
    await azure.made("POST", f"subscriptions/{OTHER_SUBSCRIPTION}", {"console_disabled": True})
    status = f"{WHOLE}/providers/Microsoft.SerialConsole/consoleServices/default"
    assert (await azure.ask(ADA, status)).json()["properties"] == {"disabled": False}
    await azure.made("POST", f"subscriptions/{SUBSCRIPTION}", {"console_disabled": True})
    assert (await azure.ask(ADA, status)).json()["properties"] == {"disabled": True}
    assert (await azure.ask(ADA, f"{status}/enableConsole", "POST")).json()["properties"] == {"disabled": False}


async def test_a_vm_can_be_made_whatever_a_vm_can_be(azure: Azure) -> None:
    changes = {
        "os": "Windows",
        "image": ["MicrosoftWindowsDesktop", "Windows-11"],
        "login": "ssh-keys",
        "location": "uksouth",
        "tags": {"tier": "gold"},
        "storage_uri": "http://[not a uri",
        "port_enabled": False,
        "latest_model": False,
    }
    await azure.made("POST", "vms/web-01", changes)
    told = (await azure.ask(ADA, VM)).json()
    kept = told["properties"]
    assert (told["location"], told["tags"]) == ("uksouth", {"tier": "gold"})
    assert kept["storageProfile"]["osDisk"]["osType"] == "Windows"
    assert kept["storageProfile"]["imageReference"]["publisher"] == "MicrosoftWindowsDesktop"
    assert kept["diagnosticsProfile"]["bootDiagnostics"]["storageUri"] == "http://[not a uri"
    port = await azure.ask(ADA, f"{VM}/providers/Microsoft.SerialConsole/serialPorts/0")
    assert port.json()["properties"]["state"] == "disabled"
    await azure.made("POST", "vms/web-01", {"os": "Linux", "image": None})
    kept = (await azure.ask(ADA, VM)).json()["properties"]
    assert kept["osProfile"]["linuxConfiguration"]["disablePasswordAuthentication"] is True


async def test_an_instance_of_the_flexible_set_answers_by_both_addresses(azure: Azure) -> None:
    by_set = VM.replace("virtualMachines", "virtualMachineScaleSets/pool/virtualMachines")
    assert (await azure.ask(ADA, by_set)).json()["id"] == (await azure.ask(ADA, VM)).json()["id"] == VM


async def test_nothing_of_the_fleet_lies_in_the_other_subscription(azure: Azure) -> None:
    both = [{"principal": ADA.oid, "role": READER, "scope": f"/subscriptions/{one}"} for one in (SUBSCRIPTION, OTHER)]
    await azure.made("POST", "assignments", both)
    for listed in ("Compute/virtualMachines", "Compute/virtualMachineScaleSets", "SerialConsole/serialPorts"):
        found = [
            await azure.ask(ADA, f"/subscriptions/{one}/providers/Microsoft.{listed}") for one in (SUBSCRIPTION, OTHER)
        ]
        assert [bool(one.json()["value"]) for one in found] == [True, False]
    assert (await azure.ask(ADA, VM.replace(SUBSCRIPTION, OTHER))).status_code == 404


async def test_a_reset_makes_the_fleet_as_it_was(azure: Azure) -> None:
    await azure.made("POST", "locks", [{"name": "freeze", "scope": WHOLE}])
    await azure.made("POST", "denials", [{"principals": [ADA.oid], "scope": WHOLE, "actions": ["*"]}])
    await azure.made("POST", "assignments", [])
    await azure.made("POST", "vms/web-01", {"power": "stopped", "tags": {}})
    await azure.made("DELETE", "accounts/stcontosodiag")
    await azure.made("POST", f"subscriptions/{SUBSCRIPTION}", {"console_disabled": True})
    await azure.made("POST", "reset")
    assert await azure.may(ADA)
    assert (await azure.ask(ADA, VM)).json()["tags"] == {"role": "frontend"}
    account = f"{group('rg-data')}/providers/Microsoft.Storage/storageAccounts/stcontosodiag"
    assert (await azure.ask(ADA, account)).is_success
    status = f"{WHOLE}/providers/Microsoft.SerialConsole/consoleServices/default"
    assert (await azure.ask(ADA, status)).json()["properties"] == {"disabled": False}


@pytest.mark.parametrize(
    ("hook", "body"),
    [
        ("POST locks", [{"name": "no scope"}]),
        ("POST locks", ["freeze"]),
        ("POST locks", {"name": "not a list"}),
        ("POST denials", [{"principals": "one", "scope": WHOLE, "actions": ["*"]}]),
        ("POST denials", [{"principals": [1], "scope": WHOLE, "actions": ["*"]}]),
        ("POST assignments", [{"principal": "x", "role": "no such role", "scope": WHOLE}]),
        ("PUT roles/c0", {"actions": ["*"], "colour": "red"}),
        ("PUT accounts/stnew", {"group": "rg-web", "hidden": "yes"}),
        (f"POST subscriptions/{SUBSCRIPTION}", {"console_disabled": "yes"}),
        ("POST vms/web-01", {"login": "fingerprint"}),
        ("POST vms/web-01", {"image": ["only a publisher"]}),
        ("POST vms/web-01", {"port_enabled": 1}),
        ("POST vms/web-01", {"power": "asleep"}),
    ],
)
async def test_what_does_not_fit_is_refused_and_changes_nothing(azure: Azure, hook: str, body: Any) -> None:
    method, _, path = hook.partition(" ")
    assert (await azure.change(method, path, body)).status_code == 400
    assert await azure.may(ADA)

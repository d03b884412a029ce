from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from dev.arm import app
from dev.arm.rights import allows, is_within
from dev.arm.roles import ROLES
from dev.demo import ADA, ALAN, CONTRIBUTOR, GRACE, SUBSCRIPTION, VM_CONTRIBUTOR, Person, group
from dev.entra.keys import kept_key
from dev.entra.tokens import expired_token, foreign_key_token, unsigned_token, user_token, wrong_tenant_token
from dev.stack import Port, Stack
from tests.dev.local_azure import NoMachines

ARM = "https://management.azure.com"
VM = f"{group('rg-web')}/providers/Microsoft.Compute/virtualMachines/web-01"
ACCOUNT = f"{group('rg-data')}/providers/Microsoft.Storage/storageAccounts/stcontosodiag"


@pytest.fixture
def stack(home: Path) -> Stack:
    return Stack(home=home)


@pytest.fixture
async def arm(stack: Stack) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app.build(stack, kept_key(stack.home), NoMachines()))
    async with httpx.AsyncClient(transport=transport, base_url=stack.https(Port.ARM)) as client:
        yield client


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def as_(stack: Stack, person: Person) -> dict[str, str]:
    return bearer(user_token(stack, person, audience=ARM))


def said(response: httpx.Response) -> tuple[int, str]:
    return response.status_code, response.json()["error"]["code"]


async def test_only_a_token_that_holds_gets_in(arm: httpx.AsyncClient, stack: Stack) -> None:
    codes = {
        expired_token(stack, ADA, audience=ARM): "ExpiredAuthenticationToken",
        user_token(stack, ADA): "InvalidAuthenticationTokenAudience",
        wrong_tenant_token(stack, ADA, audience=ARM): "InvalidAuthenticationTokenTenant",
        foreign_key_token(stack, ADA, audience=ARM): "InvalidAuthenticationToken",
        foreign_key_token(stack, ADA, audience=ARM, borrow_kid=True): "InvalidAuthenticationToken",
        unsigned_token(stack, ADA, audience=ARM): "InvalidAuthenticationToken",
    }
    for token, code in codes.items():
        refused = await arm.get(f"{VM}?api-version=2025-04-01", headers=bearer(token))
        assert said(refused) == (401, code)
        assert token not in refused.text
    assert said(await arm.get(VM)) == (401, "AuthenticationFailed")


@pytest.mark.parametrize(
    ("path", "refused"),
    [
        (VM, (400, "MissingApiVersionParameter")),
        (f"{VM}?api-version=latest", (400, "InvalidApiVersionParameter")),
        (f"{VM.replace(SUBSCRIPTION, 'x')}?api-version=2025-04-01", (400, "InvalidSubscriptionId")),
        (f"{VM.replace(SUBSCRIPTION, ADA.oid)}?api-version=2025-04-01", (404, "SubscriptionNotFound")),
        (f"{VM.replace('rg-web', 'rg-none')}?api-version=2025-04-01", (404, "ResourceGroupNotFound")),
        (f"{VM}/nothing?api-version=2025-04-01", (404, "InvalidResourceType")),
    ],
)
async def test_a_faulty_request_is_refused_as_arm_does(
    arm: httpx.AsyncClient, stack: Stack, path: str, refused: tuple[int, str]
) -> None:
    answer = await arm.get(path, headers=as_(stack, ADA))
    assert said(answer) == refused
    assert answer.headers["x-ms-error-code"] == refused[1]


async def test_a_path_is_the_same_in_any_case(arm: httpx.AsyncClient, stack: Stack) -> None:
    answer = await arm.get(f"{VM.upper()}?api-version=2025-04-01", headers=as_(stack, ALAN))
    assert answer.json()["name"] == "web-01"


async def test_keys_are_for_those_who_may_list_them(arm: httpx.AsyncClient, stack: Stack) -> None:
    keys = f"{ACCOUNT}/listKeys?api-version=2024-01-01"
    assert len((await arm.post(keys, headers=as_(stack, ADA))).json()["keys"]) == 2
    assert said(await arm.post(keys, headers=as_(stack, GRACE))) == (403, "AuthorizationFailed")
    assert (await arm.get(f"{ACCOUNT}?api-version=2024-01-01", headers=as_(stack, GRACE))).status_code == 200


async def test_a_revoked_role_counts_at_once(arm: httpx.AsyncClient, stack: Stack) -> None:
    path = f"{VM}?api-version=2025-04-01"
    assert (await arm.get(path, headers=as_(stack, ADA))).status_code == 200
    assert (await arm.post("/admin/assignments", json=[])).json() == {"count": 0}
    assert said(await arm.get(path, headers=as_(stack, ADA))) == (403, "AuthorizationFailed")
    listed = await arm.get("/subscriptions?api-version=2022-12-01", headers=as_(stack, ADA))
    assert listed.json()["value"] == []


async def test_a_vm_can_be_changed_for_a_test(arm: httpx.AsyncClient, stack: Stack) -> None:
    changes = {"provisioning": "Failed", "boot_diagnostics": False, "power": "stopped"}
    assert (await arm.post("/admin/vms/web-01", json=changes)).status_code == 200
    path = f"{VM}?api-version=2025-04-01&$expand=instanceView"
    told = (await arm.get(path, headers=as_(stack, ADA))).json()["properties"]
    assert told["provisioningState"] == "Failed"
    assert told["diagnosticsProfile"]["bootDiagnostics"] == {"enabled": False}
    assert told["instanceView"]["statuses"][-1]["code"] == "PowerState/stopped"
    assert (await arm.post("/admin/vms/web-01", json={"name": "x"})).status_code == 400
    assert (await arm.post("/admin/vms/nope", json={})).status_code == 404


def test_not_actions_and_wildcards_work_as_in_azure() -> None:
    contributor, vm_contributor = ROLES[CONTRIBUTOR], ROLES[VM_CONTRIBUTOR]
    assert allows(contributor, "microsoft.compute/virtualmachines/WRITE")
    assert not allows(contributor, "Microsoft.Authorization/roleAssignments/write")
    assert allows(vm_contributor, "Microsoft.Compute/virtualMachines/extensions/write")
    assert not allows(vm_contributor, "Microsoft.Storage/storageAccounts/write")
    assert not is_within(group("rg-website"), group("rg-web")), "a name that only begins alike is another scope"

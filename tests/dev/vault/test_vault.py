"""The Key Vault stand-in refuses what a vault refuses, and keeps its keys."""

import base64
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from dev import tls
from dev.demo import AUTOMATION, SERVICE, Application
from dev.entra.keys import kept_key
from dev.entra.tokens import app_token
from dev.stack import Port, Stack
from dev.vault import app
from dev.vault.callers import AUDIENCE
from dev.vault.keys import NAMES, SESSION_KEY, Keys
from tests.dev.local_azure import LocalAzure, NoMachines, local_azure


@pytest.fixture
async def azure(tmp_path: Path) -> AsyncIterator[LocalAzure]:
    async with local_azure(tmp_path, NoMachines()) as running:
        yield running


async def asked(azure: LocalAzure, method: str, path: str, who: Application | None = SERVICE, **options: Any) -> Any:
    token = who and app_token(azure.stack, who, audience=AUDIENCE)
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    trust = ssl.create_default_context(cafile=str(azure.stack.ca))
    async with httpx.AsyncClient(base_url=azure.stack.https(Port.VAULT), verify=trust, headers=headers) as client:
        return await client.request(method, path, **({"params": {"api-version": "7.4"}} | options))


def version(azure: LocalAzure) -> str:
    return f"/keys/{SESSION_KEY}/{azure.keys.versions[SESSION_KEY][0].name}"


async def test_who_brings_no_token_is_told_where_to_get_one(azure: LocalAzure) -> None:
    answer = await asked(azure, "GET", version(azure), None)
    assert answer.status_code == 401
    assert f'resource="{AUDIENCE}"' in answer.headers["WWW-Authenticate"]


@pytest.mark.parametrize(
    ("path", "options", "said"),
    [
        ("", {"who": AUTOMATION}, (403, "Forbidden")),
        ("", {"params": {}}, (400, "BadParameter")),
        ("x", {}, (404, "KeyNotFound")),
        ("/sign", {"json": {"alg": "RS256", "value": ""}}, (400, "BadParameter")),
        ("/sign", {"json": {"alg": "ES256", "value": "c2hvcnQ"}}, (400, "BadParameter")),
    ],
)
async def test_what_a_vault_refuses_is_refused(
    azure: LocalAzure, path: str, options: dict[str, Any], said: tuple[int, str]
) -> None:
    method = "POST" if path == "/sign" else "GET"
    answer = await asked(azure, method, version(azure) + path, **options)
    assert (answer.status_code, answer.json()["error"]["code"]) == said


async def test_a_disabled_version_signs_no_more(azure: LocalAzure) -> None:
    name = version(azure).removeprefix("/keys/")
    assert (await asked(azure, "PATCH", f"/admin/{name}", None, json={"enabled": False})).status_code == 200
    digest = base64.urlsafe_b64encode(bytes(32)).decode()
    answer = await asked(azure, "POST", f"{version(azure)}/sign", json={"alg": "ES256", "value": digest})
    assert answer.status_code == 403


async def test_versions_come_in_pages_and_a_new_one_is_among_them(azure: LocalAzure) -> None:
    for _ in range(2):
        await asked(azure, "POST", f"/admin/{SESSION_KEY}/rotate", None)
    first = (await asked(azure, "GET", f"/keys/{SESSION_KEY}/versions")).json()
    second = (await asked(azure, "GET", first["nextLink"], params=None)).json()
    assert (len(first["value"]), len(second["value"]), second["nextLink"]) == (2, 1, None)


def test_keys_are_kept_over_a_restart_for_their_owner_alone(tmp_path: Path) -> None:
    made = Keys.kept(tmp_path)
    again = Keys.kept(tmp_path)
    assert again.versions == made.versions
    assert set(made.versions) == set(NAMES)
    assert made.path.stat().st_mode & 0o077 == 0


def test_the_stand_in_is_composed_of_what_the_stack_has(tmp_path: Path) -> None:
    stack = Stack(home=tmp_path)
    tls.ensure(stack)
    assert app.build(stack, kept_key(tmp_path), Keys.kept(tmp_path)).routes

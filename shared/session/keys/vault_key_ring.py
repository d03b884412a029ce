"""Signing keys that never leave Azure Key Vault. It signs digests, and rotates the keys by its own policy.

This module uses three calls of its REST API, through azure-core's pipeline. The vault's SDK lets the answer of a vault
choose the audience of the next token; here it is always that of the cloud's vaults.
"""

import base64
import hashlib
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from azure.core import AsyncPipelineClient
from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import AzureError, ClientAuthenticationError, HttpResponseError
from azure.core.pipeline.policies import AsyncBearerTokenCredentialPolicy, UserAgentPolicy
from azure.core.rest import HttpRequest

from shared.base.azure_troubles import PromptRetries, troubled
from shared.base.clouds import VAULTS
from shared.base.in_time import in_time
from shared.base.ports import Clock, Dependency, Trouble, Unavailable
from shared.base.ttl_cache import TtlCache
from shared.session.key_versions import LIST_SECONDS, KeyVersion, public, signing
from shared.session.keys.jws import public_jwk

_VERSION = "7.4"
_WHAT = Dependency.KEY_VAULT
_VERSIONS = "versions"
_THROTTLED = 429
_AWAY_SECONDS = 30.0
"""How long the list of a vault that failed is not read again."""
_ASKS: dict[str, Any] = {"connection_timeout": 5, "read_timeout": 5}


class VaultKeyRing:
    """A shared.session.ports.KeyRing: the versions of one key."""

    def __init__(
        self, address: str, cloud: str, credential: AsyncTokenCredential, clock: Clock, transport: Any = None
    ) -> None:
        """`address` is that of the key, without a version."""
        parts = urlsplit(address)
        self._vault, self._path = f"https://{parts.netloc}", parts.path.rstrip("/")
        self._clock = clock
        self._client: AsyncPipelineClient[Any, Any] = AsyncPipelineClient(
            self._vault,
            policies=[
                UserAgentPolicy(),
                PromptRetries(),
                AsyncBearerTokenCredentialPolicy(credential, f"{VAULTS[cloud]}/.default"),
            ],
            **({"transport": transport} if transport else {}),
        )
        self._listed: TtlCache[list[KeyVersion]] = TtlCache(LIST_SECONDS, clock)
        self._known: list[KeyVersion] = []
        """The versions that the vault listed last; they are used while it does not answer."""
        self._ask_again = 0.0
        self._jwks: dict[str, dict[str, str]] = {}
        """By name of the version; a version never changes."""

    async def public(self) -> list[dict[str, str]]:
        """Returns the versions that can be read, and skips the others. Raises Unavailable if none can."""
        jwks, problem = list[dict[str, str]](), None
        for version in public(await self._versions()):
            try:
                jwks.append(await self._jwk(version))
            except Unavailable as error:
                problem = error
        if problem and not jwks:
            raise problem
        return jwks

    async def signer(self) -> str:
        version = signing(await self._versions(), self._clock.now())
        if version is None:
            raise Unavailable(_WHAT, "the key has no version that may sign")
        return (await self._jwk(version))["kid"]

    async def sign(self, kid: str, message: bytes) -> bytes:
        name = next((name for name, jwk in self._jwks.items() if jwk["kid"] == kid), None)
        if name is None:
            raise Unavailable(_WHAT, "the key has no such version")
        digest = base64.urlsafe_b64encode(hashlib.sha256(message).digest()).rstrip(b"=").decode()
        try:
            answer = await self._ask("POST", f"{self._path}/{name}/sign", {"alg": "ES256", "value": digest})
        except Unavailable:  # the version may be disabled: the list is read again
            self._listed.forget(_VERSIONS)
            raise
        return _decoded(answer["value"])

    async def probe(self) -> None:
        """Reads the list from the vault, ignoring the cache. Raises Unavailable."""
        await self._listed.get(_VERSIONS, self._list, fresh=True)

    async def close(self) -> None:
        await self._client.close()

    async def _versions(self) -> list[KeyVersion]:
        if self._known and self._clock.now() < self._ask_again:
            return self._known
        try:
            async with in_time(_WHAT):
                return await self._listed.get(_VERSIONS, self._list)
        except Unavailable as error:
            if not self._known:
                raise
            if error.trouble not in (Trouble.SLOW, Trouble.LATE):  # else only the request had no time
                self._ask_again = self._clock.now() + _AWAY_SECONDS
            return self._known

    async def _list(self) -> list[KeyVersion]:
        versions: list[KeyVersion] = []
        path: str | None = f"{self._path}/versions"
        while path:
            page = await self._ask("GET", path)
            versions += [_version(each) for each in page.get("value") or ()]
            path = page.get("nextLink")
        self._known = versions
        return versions

    async def _jwk(self, version: KeyVersion) -> dict[str, str]:
        if version.name not in self._jwks:
            key = (await self._ask("GET", f"{self._path}/{version.name}"))["key"]
            if key.get("crv") != "P-256":
                raise Unavailable(_WHAT, "the key is not an EC P-256 key")
            self._jwks[version.name] = public_jwk(_decoded(key["x"]), _decoded(key["y"]))
        return self._jwks[version.name]

    async def _ask(self, method: str, path: str, body: Any = None) -> Any:
        """Calls the vault, and returns the JSON. Raises Unavailable, also for a next page outside the vault."""
        path = path.removeprefix(self._vault)
        if not path.startswith("/"):
            raise Unavailable(_WHAT, "its next page lies elsewhere")
        query = {} if "?" in path else {"api-version": _VERSION}
        request = HttpRequest(method, f"{self._vault}{path}", params=query, json=body)
        try:
            async with in_time(_WHAT):
                response = await self._client.send_request(request, **_ASKS)
                response.raise_for_status()
                return response.json()
        except ClientAuthenticationError as error:
            raise Unavailable(_WHAT, "the service cannot sign in there") from error
        except HttpResponseError as error:
            if error.status_code == _THROTTLED:
                raise troubled(error, _WHAT) from error
            raise Unavailable(_WHAT, f"answered {error.status_code}: may the service use the key?") from error
        except AzureError as error:
            raise troubled(error, _WHAT) from error
        except ValueError as error:
            raise Unavailable(_WHAT, "its answer cannot be read") from error


def _version(document: Mapping[str, Any]) -> KeyVersion:
    attributes = document["attributes"]
    return KeyVersion(
        str(document["kid"]).rstrip("/").rpartition("/")[2],
        float(attributes["created"]),
        enabled=bool(attributes.get("enabled", True)),
        begins=float(attributes.get("nbf") or 0),
        ends=None if attributes.get("exp") is None else float(attributes["exp"]),
    )


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))

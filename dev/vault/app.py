"""The vault's REST API (7.4), as far as the service uses it; under /admin, without a token, what an owner does.

Source: learn.microsoft.com/rest/api/keyvault/keys (get key, get key versions, sign; at most 25 versions in a page);
learn.microsoft.com/azure/key-vault/general/rest-error-codes for AKV10000, Forbidden and KeyNotFound.
"""

import base64
import binascii
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from dev.entra.keys import SigningKey
from dev.entra.listen import RequestLog
from dev.stack import Port, Stack
from dev.vault.callers import Callers, RefusedError
from dev.vault.keys import Keys, Version

_DIGEST = 32


def build(stack: Stack, tenant_key: SigningKey, keys: Keys, page_size: int = 25) -> Starlette:
    """Compose the application; tokens that `tenant_key` signed are accepted."""
    vault = _Vault(stack, Callers(stack, tenant_key), keys, page_size)
    return Starlette(
        routes=[
            Route("/healthz", _healthy),
            Route("/keys/{name}/versions", vault.list_versions),
            Route("/keys/{name}/{version}", vault.show),
            Route("/keys/{name}/{version}/sign", vault.sign, methods=["POST"]),
            Route("/admin/{name}/rotate", vault.rotate, methods=["POST"]),
            Route("/admin/{name}/{version}", vault.switch, methods=["PATCH"]),
        ],
        middleware=[
            Middleware(RequestLog, part="vault"),
            # A web page elsewhere may not reach in under a name of its own that points to 127.0.0.1.
            Middleware(TrustedHostMiddleware, allowed_hosts=["localhost", "127.0.0.1"]),
        ],
        exception_handlers={RefusedError: _refused},
    )


class _Vault:
    def __init__(self, stack: Stack, callers: Callers, keys: Keys, page_size: int) -> None:
        self._address = stack.https(Port.VAULT)
        self._callers, self._keys, self._page_size = callers, keys, page_size

    async def list_versions(self, request: Request) -> Response:
        """In pages; a vault lists attributes, not the keys themselves, and in no order that one could rely on."""
        self._check(request)
        found = self._versions(request)[::-1]
        start = int(request.query_params.get("$skiptoken", "0"))
        page, rest = found[start : start + self._page_size], found[start + self._page_size :]
        version = request.query_params["api-version"]
        following = f"{request.url.path}?api-version={version}&$skiptoken={start + self._page_size}"
        name = request.path_params["name"]
        return JSONResponse(
            {
                "value": [{"kid": self._kid(name, each), "attributes": _attributes(each)} for each in page],
                "nextLink": f"{self._address}{following}" if rest else None,
            }
        )

    async def show(self, request: Request) -> Response:
        self._check(request)
        return JSONResponse(self._bundle(request.path_params["name"], self._version(request)))

    async def sign(self, request: Request) -> Response:
        self._check(request)
        version, asked = self._version(request), await request.json()
        digest = _decoded(asked.get("value"))
        if asked.get("alg") != "ES256" or len(digest) != _DIGEST:
            raise RefusedError(400, "BadParameter", "ES256 takes a digest of 32 bytes")
        if not version.enabled:
            raise RefusedError(403, "Forbidden", "Operation sign is not allowed on a disabled key.")
        kid = self._kid(request.path_params["name"], version)
        return JSONResponse({"kid": kid, "value": _encoded(version.sign(digest))})

    async def rotate(self, request: Request) -> Response:
        name = request.path_params["name"]
        return JSONResponse(self._bundle(name, self._keys.rotate(name)))

    async def switch(self, request: Request) -> Response:
        """`{"enabled": false}` withdraws a version; `{"created": seconds}` lets it be older than it is."""
        version = self._version(request)
        for name, value in (await request.json()).items():
            setattr(version, {"enabled": "enabled", "created": "created"}[name], value)
        self._keys.save()
        return JSONResponse(self._bundle(request.path_params["name"], version))

    def _check(self, request: Request) -> None:
        self._callers.check(request.headers.get("authorization"))
        if "api-version" not in request.query_params:
            raise RefusedError(400, "BadParameter", "api-version must be specified")

    def _versions(self, request: Request) -> list[Version]:
        name = request.path_params["name"]
        if name not in self._keys.versions:
            raise RefusedError(404, "KeyNotFound", f"A key with (name/id) {name} was not found in this key vault.")
        return self._keys.versions[name]

    def _version(self, request: Request) -> Version:
        wanted = request.path_params["version"]
        found = next((each for each in self._versions(request) if each.name == wanted), None)
        if found is None:
            raise RefusedError(404, "KeyNotFound", f"A key with (name/id) {wanted} was not found in this key vault.")
        return found

    def _bundle(self, name: str, version: Version) -> dict[str, Any]:
        x, y = version.point
        key = {
            "kid": self._kid(name, version), "kty": "EC", "key_ops": ["sign", "verify"], "crv": "P-256",
            "x": _encoded(x), "y": _encoded(y),
        }  # fmt: skip
        return {"key": key, "attributes": _attributes(version)}

    def _kid(self, name: str, version: Version) -> str:
        return f"{self._address}/keys/{name}/{version.name}"


def _attributes(version: Version) -> dict[str, Any]:
    made = {"created": version.created, "updated": version.created, "recoveryLevel": "Recoverable+Purgeable"}
    return {"enabled": version.enabled, **made}


async def _healthy(_: Request) -> Response:
    return JSONResponse({"status": "healthy"})


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, RefusedError)  # noqa: S101 - registered for it alone
    headers = {"WWW-Authenticate": error.challenge} if error.challenge else {}
    return JSONResponse({"error": {"code": error.code, "message": error.message}}, error.status, headers)


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decoded(text: Any) -> bytes:
    try:
        return base64.urlsafe_b64decode(str(text) + "=" * (-len(str(text)) % 4))
    except (binascii.Error, ValueError):
        return b""

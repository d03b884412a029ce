"""What clients discover. Addresses in it follow the request, so a browser stays on http and an SDK on https."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from dev.demo import PARTNER_TENANT, TENANT
from dev.entra.parts import issuer_of
from dev.entra.registrations import WITH_KEYS, check_tenant


def _here(request: Request) -> str:
    return f"{request.url.scheme}://{request.url.netloc}"


async def configuration(request: Request) -> Response:
    """Answer OpenID Connect discovery. The issuer is one and the same on both ports: it stands in every token."""
    tenant = request.path_params["tenant"]
    check_tenant(tenant)
    issuer = issuer_of(request)
    oauth = f"{_here(request)}/{tenant}/oauth2/v2.0"
    return JSONResponse(
        {
            "issuer": issuer.name,
            "authorization_endpoint": f"{oauth}/authorize",
            "token_endpoint": f"{oauth}/token",
            "end_session_endpoint": f"{oauth}/logout",
            "jwks_uri": f"{_here(request)}/{tenant}/discovery/v2.0/keys",
            "response_modes_supported": ["query", "fragment"],
            "response_types_supported": ["code"],
            "code_challenge_methods_supported": ["S256"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
            "scopes_supported": ["openid", "profile", "email", "offline_access"],
            "claims_supported": [
                "sub",
                "iss",
                "aud",
                "exp",
                "iat",
                "nonce",
                "preferred_username",
                "name",
                "tid",
                "ver",
            ],
            "tenant_region_scope": "EU",
        }
    )


async def instances(request: Request) -> Response:
    """Answer MSAL's question whether this host is a sign-in authority: it is the only one of its cloud."""
    host = request.url.netloc
    alias = {"preferred_network": host, "preferred_cache": host, "aliases": [host]}
    discovery = f"{_here(request)}/{TENANT}/v2.0/.well-known/openid-configuration"
    return JSONResponse({"tenant_discovery_endpoint": discovery, "api-version": "1.1", "metadata": [alias]})


async def keys(request: Request) -> Response:
    tenant = request.path_params["tenant"]
    check_tenant(tenant, WITH_KEYS)
    issuer = issuer_of(request)
    named = issuer.name_in(tenant if tenant == PARTNER_TENANT else TENANT)
    return JSONResponse({"keys": [issuer.key.published(named)]})

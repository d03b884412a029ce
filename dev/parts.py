"""Every part of the local stack: how it is started, with which environment, and how one knows that it is up."""

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field

from dev import demo, microsoft
from dev.stack import HOST_KEY, ROOT, Engine, EventHubs, Host, Port, Stack
from dev.vault.keys import SESSION_KEY, STATEMENT_KEY

AZURITE_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
"""Azurite's published account key."""
RELAY_NAME = "r0"
HUB = "records:4"


@dataclass(frozen=True)
class Part:
    """One process. `ready` is an address: http(s) must answer 200, tcp must accept."""

    name: str
    what: str
    command: tuple[str, ...]
    ready: str
    ports: tuple[Port, ...]
    environment: Mapping[str, str] = field(default_factory=dict)


def parts(stack: Stack) -> tuple[Part, ...]:
    """In the order in which they are started; each copes with the others coming later."""
    shared = _trust(stack)
    return (
        *_storage(stack),
        _hub(stack),
        Part(
            "entra", "sign-in stand-in", _python("dev.entra", stack),
            f"{stack.http(Port.ENTRA_PAGE)}/healthz", (Port.ENTRA_PAGE, Port.ENTRA), shared,
        ),
        Part(
            "arm", "Azure Resource Manager stand-in", _python("dev.arm", stack),
            f"tcp://127.0.0.1:{stack.port(Port.ARM)}", (Port.ARM,), shared,
        ),
        Part(
            "vault", "Key Vault stand-in", _python("dev.vault", stack),
            f"tcp://127.0.0.1:{stack.port(Port.VAULT)}", (Port.VAULT,), shared,
        ),
        Part(
            "gateway", "serial gateway and machines", _python("dev.gateway", stack),
            f"{stack.http(Port.GATEWAY_CONTROL)}/healthz", (Port.GATEWAY, Port.GATEWAY_CONTROL), shared,
        ),
        *_scheduler(stack),
        _function_app(stack, shared | function_settings(stack)),
        Part(
            "relay", "relay", (sys.executable, "-m", "relay"),
            f"{stack.http(Port.RELAY_CONTROL)}/healthz", (Port.RELAY, Port.RELAY_CONTROL),
            shared | relay_settings(stack),
        ),
        Part(
            "front-door", "page and API", _python("dev.front_door", stack),
            f"{stack.http(Port.FRONT_DOOR)}/index.html", (Port.FRONT_DOOR,),
        ),
    )  # fmt: skip


def storage(stack: Stack) -> str:
    """The connection string of an account as strict as Azure's."""
    return _connection(stack, {"Blob": Port.BLOBS, "Queue": Port.QUEUES, "Table": Port.TABLES})


def azurite(stack: Stack) -> str:
    """Azurite's own, past what the proxy refuses."""
    return _connection(stack, _AZURITE)


_AZURITE = {"Blob": Port.AZURITE_BLOBS, "Queue": Port.QUEUES, "Table": Port.AZURITE_TABLES}


def _connection(stack: Stack, services: Mapping[str, Port]) -> str:
    account = "devstoreaccount1"
    endpoints = "".join(f"{name}Endpoint=http://127.0.0.1:{stack.port(p)}/{account};" for name, p in services.items())
    return f"DefaultEndpointsProtocol=http;AccountName={account};AccountKey={AZURITE_KEY};{endpoints}"


def records(stack: Stack) -> str:
    """The Event Hubs stand-in's connection string."""
    return (
        f"Endpoint=sb://127.0.0.1:{stack.port(Port.EVENT_HUBS)};SharedAccessKeyName=RootManageSharedAccessKey;"
        "SharedAccessKey=SAS_KEY_VALUE;UseDevelopmentEmulator=true;"
    )


def function_settings(stack: Stack) -> dict[str, str]:
    """The function app's settings, as Azure would have them in its configuration."""
    return (
        _common(stack)
        | {
            "AzureWebJobsStorage": storage(stack),
            "AzureWebJobsDisableHomepage": "true",
            "FUNCTIONS_WORKER_RUNTIME": "python",
            "ENTRA_TENANTS": demo.TENANT,
            "API_CLIENT_ID": demo.API_CLIENT,
            "API_AUDIENCE": demo.API_URI,
            "API_CLIENT_SECRET": demo.API_SECRET,
            "PAGE_CLIENT_ID": demo.PAGE_CLIENT,
            "PAGE_AUTHORITY_METADATA": json.dumps(page_metadata(stack)),
            "SUBSCRIPTIONS": demo.SUBSCRIPTION,
            "TRANSCRIPT_STORAGE": storage(stack),
            "SESSION_KEY": f"{stack.https(Port.VAULT)}/keys/{SESSION_KEY}",
            "STATEMENT_KEY": f"{stack.https(Port.VAULT)}/keys/{STATEMENT_KEY}",
            "TRUSTED_PROXIES": "127.0.0.0/8 ::1",
            "RELAYS": (
                f"{RELAY_NAME}=ws://localhost:{stack.port(Port.RELAY)}|http://localhost:{stack.port(Port.RELAY_CONTROL)}"
            ),
        }
        | signed_in_as(stack, demo.SERVICE)
    )


def relay_settings(stack: Stack) -> dict[str, str]:
    """The relay's settings, as its container would have them."""
    return (
        _common(stack)
        | {
            "RELAY_NAME": RELAY_NAME,
            "RELAY_HOST": "127.0.0.1",
            "RELAY_PORT": str(stack.port(Port.RELAY)),
            "RELAY_CONTROL_PORT": str(stack.port(Port.RELAY_CONTROL)),
            "CONTROL_PLANE": f"{stack.http(Port.FUNCTIONS)}/api",
            "API_AUDIENCE": demo.API_URI,
            "SPOOL_DIR": str(stack.home / "spool"),
        }
        | signed_in_as(stack, demo.RELAY)
    )


def page_metadata(stack: Stack) -> dict[str, str]:
    """Entra's OpenID configuration with the endpoints that browsers reach: plain http on loopback."""
    page = f"{stack.http(Port.ENTRA_PAGE)}/{demo.TENANT}"
    return {
        "authorization_endpoint": f"{page}/oauth2/v2.0/authorize",
        "token_endpoint": f"{page}/oauth2/v2.0/token",
        "end_session_endpoint": f"{page}/oauth2/v2.0/logout",
        "jwks_uri": f"{page}/discovery/v2.0/keys",
        "issuer": f"{stack.authority}/{demo.TENANT}/v2.0",
    }


def _common(stack: Stack) -> dict[str, str]:
    return {
        "ENTRA_AUTHORITY": stack.authority,
        "ENTRA_INSTANCE_DISCOVERY": "off",
        "ARM_ENDPOINT": stack.https(Port.ARM),
        "SESSION_ISSUER": stack.http(Port.FRONT_DOOR),
        "RECORDS": records(stack),
        "RECORDS_HUB": HUB.partition(":")[0],
        "PAGE_ORIGINS": f"http://localhost:{stack.base} http://127.0.0.1:{stack.base}",
    }


def _trust(stack: Stack) -> dict[str, str]:
    """The private authority, where OpenSSL, aiohttp and requests look for the public ones."""
    return {"SSL_CERT_FILE": str(stack.ca), "REQUESTS_CA_BUNDLE": str(stack.ca)}


def signed_in_as(stack: Stack, application: demo.Application) -> dict[str, str]:
    """What azure-identity reads; in Azure a managed identity takes this place."""
    return {
        "AZURE_AUTHORITY_HOST": stack.authority,
        "AZURE_TENANT_ID": demo.TENANT,
        "AZURE_CLIENT_ID": application.client,
        "AZURE_CLIENT_SECRET": application.secret,
    }


def _python(module: str, stack: Stack) -> tuple[str, ...]:
    return (sys.executable, "-m", module, "--base", str(stack.base), "--home", str(stack.home))


def _storage(stack: Stack) -> tuple[Part, ...]:
    return (
        Part(
            "azurite", "blobs and tables (Microsoft's emulator)", _azurite(stack),
            f"tcp://127.0.0.1:{stack.port(Port.AZURITE_TABLES)}",
            (Port.AZURITE_BLOBS, Port.QUEUES, Port.AZURITE_TABLES),
        ),
        Part(
            "storage", "what Azure's storage refuses and Azurite does not", _python("dev.storage", stack),
            f"tcp://127.0.0.1:{stack.port(Port.TABLES)}", (Port.BLOBS, Port.TABLES),
        ),
    )  # fmt: skip


def _hub(stack: Stack) -> Part:
    ready, ports = f"tcp://127.0.0.1:{stack.port(Port.EVENT_HUBS)}", (Port.EVENT_HUBS, Port.EVENT_HUBS_ADMIN)
    if stack.event_hubs is EventHubs.EMULATOR:
        command, settings = microsoft.event_hubs(stack, HUB), microsoft.event_hubs_environment(stack)
        return Part("event-hubs", "Event Hubs (Microsoft's emulator)", command, ready, ports, settings)
    return Part("event-hubs", "Event Hubs stand-in", _event_hubs(stack), ready, ports)


def _scheduler(stack: Stack) -> tuple[Part, ...]:
    if stack.engine is not Engine.SCHEDULER:
        return ()
    ready = f"tcp://127.0.0.1:{stack.port(Port.SCHEDULER)}"
    settings = microsoft.scheduler_environment(stack)
    what = "Durable Task Scheduler (Microsoft's emulator)"
    return (Part("scheduler", what, microsoft.scheduler(stack), ready, (Port.SCHEDULER,), settings),)


def _function_app(stack: Stack, settings: Mapping[str, str]) -> Part:
    ready = f"tcp://127.0.0.1:{stack.port(Port.FUNCTIONS)}"
    if stack.host is Host.FUNC:
        what, command = "function app (Microsoft's host)", microsoft.functions(stack)
        return Part(
            "functions", what, command, ready, (Port.FUNCTIONS,), {**settings, **microsoft.functions_environment(stack)}
        )
    return Part("functions", "function app", _functions(stack), ready, (Port.FUNCTIONS, Port.SCHEDULER), settings)


def _functions(stack: Stack) -> tuple[str, ...]:
    return (
        sys.executable, "-m", "dev.functions_host", str(ROOT), "--port", str(stack.port(Port.FUNCTIONS)),
        "--state", str(stack.home / "task-hub.sqlite"), "--function-key", HOST_KEY, "--hub-pace", str(stack.hub_pace),
        *engine(),
    )  # fmt: skip


def engine() -> tuple[str, ...]:
    """The Durable Task extension itself, where its program is there (variable HOST_PARTS)."""
    program = os.environ.get("HOST_PARTS")
    return ("--engine", program) if program else ()


def _azurite(stack: Stack) -> tuple[str, ...]:
    return (
        "node", str(ROOT / "dev/azurite/node_modules/.bin/azurite"), "--skipApiVersionCheck", "--disableTelemetry",
        "--silent", "--location", str(stack.home / "azurite"),
        *(word for name, p in _AZURITE.items() for word in (f"--{name.lower()}Port", str(stack.port(p)))),
    )  # fmt: skip


def _event_hubs(stack: Stack) -> tuple[str, ...]:
    return (
        "node", str(ROOT / "dev/event_hubs/main.js"), "--port", str(stack.port(Port.EVENT_HUBS)),
        "--admin", str(stack.port(Port.EVENT_HUBS_ADMIN)), "--hub", HUB, "--data", str(stack.home / "event-hubs"),
    )  # fmt: skip


def environment(part: Part) -> dict[str, str]:
    """The part's whole environment: this process's, less what could mislead it, and its own."""
    mine = {k: v for k, v in os.environ.items() if not k.startswith(("AZURE_", "AzureWebJobs"))}
    return mine | {"PYTHONUNBUFFERED": "1"} | dict(part.environment)

"""Microsoft's own host and emulators in the place of our stand-ins: `make up HOST=func EVENTHUBS=emulator`.

The Functions host comes with Functions Core Tools (`func`), the Event Hubs emulator as a container image.
"""

import json
import os
import shutil
import sys
from pathlib import Path

from dev.stack import ROOT, Engine, EventHubs, Host, Port, Stack
from dev.steps import StepFailed

EMULATORS = ROOT / "dev/emulators"
COMPOSE = EMULATORS / "event-hubs.yaml"
SCHEDULER = EMULATORS / "scheduler.yaml"


def check(stack: Stack) -> None:
    """Raises StepFailed that names what is missing, and how to get it."""
    if stack.host is Host.FUNC and not shutil.which("func"):
        raise StepFailed(
            "HOST=func wants Azure Functions Core Tools: `func` is not on PATH. "
            "Install version 4 (npm install -g azure-functions-core-tools@4), or leave HOST out."
        )
    emulators = [name for name, wanted in _emulators(stack).items() if wanted]
    if emulators and not shutil.which("docker"):
        words = " and ".join(emulators)
        raise StepFailed(
            f"{words} wants Docker with Compose: `docker` is not on PATH. Install Docker Engine, or leave {words} out."
        )
    if stack.engine is Engine.SCHEDULER and stack.host is not Host.FUNC:
        raise StepFailed("ENGINE=scheduler wants HOST=func: the local host has an engine of its own.")


def _emulators(stack: Stack) -> dict[str, bool]:
    return {
        "EVENTHUBS=emulator": stack.event_hubs is EventHubs.EMULATOR,
        "ENGINE=scheduler": stack.engine is Engine.SCHEDULER,
    }


def functions(stack: Stack) -> tuple[str, ...]:
    """The real host over this very app, started in its folder; settings come by its environment, as in Azure."""
    return ("func", "start", "--port", str(stack.port(Port.FUNCTIONS)))


def functions_environment(stack: Stack) -> dict[str, str]:
    """The host starts its worker with the `python` that it finds first. A package has the engine in its host.json."""
    path = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    if stack.engine is not Engine.SCHEDULER:
        return path
    provider = json.loads((ROOT / "infra/host/scheduler.json").read_text())
    settings = {f"AzureFunctionsJobHost__extensions__durableTask__storageProvider__{k}": v for k, v in provider.items()}
    address = f"Endpoint=http://localhost:{stack.port(Port.SCHEDULER)};Authentication=None"
    return path | settings | {provider["connectionStringName"]: address}


def scheduler(stack: Stack) -> tuple[str, ...]:
    folder = stack.home / "scheduler-emulator"
    folder.mkdir(parents=True, exist_ok=True)
    return _compose(stack, "scheduler", SCHEDULER, folder)


def scheduler_environment(stack: Stack) -> dict[str, str]:
    hub = json.loads((ROOT / "host.json").read_text())["extensions"]["durableTask"]["hubName"]
    return {"GRPC_PORT": str(stack.port(Port.SCHEDULER)), "TASK_HUB": hub}


def _compose(stack: Stack, name: str, file: Path, folder: Path) -> tuple[str, ...]:
    return (
        "docker", "compose", "--project-name", f"serial-console-{name}-{stack.base}", "--file", str(file),
        "--project-directory", str(folder), "up", "--abort-on-container-exit",
    )  # fmt: skip


def event_hubs(stack: Stack, hub: str) -> tuple[str, ...]:
    """`hub`: a name and a number of partitions, with a colon between. Writes the emulator's configuration."""
    folder = stack.home / "event-hubs-emulator"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "Config.json").write_text(json.dumps(_configuration(hub), indent=2))
    return _compose(stack, "event-hubs", COMPOSE, folder)


def event_hubs_environment(stack: Stack) -> dict[str, str]:
    return {"AMQP_PORT": str(stack.port(Port.EVENT_HUBS))}


def _configuration(hub: str) -> dict[str, object]:
    """As learn.microsoft.com describes it, "Test locally with the Azure Event Hubs emulator"."""
    name, _, partitions = hub.partition(":")
    entity = {"Name": name, "PartitionCount": partitions, "ConsumerGroups": []}
    namespace = {"Type": "EventHub", "Name": "emulatorNs1", "Entities": [entity]}
    return {"UserConfig": {"NamespaceConfig": [namespace], "LoggingConfig": {"Type": "Console"}}}

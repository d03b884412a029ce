"""Microsoft's own host and emulators in the place of our stand-ins: `make up HOST=func EVENTHUBS=emulator`.

The Functions host comes with Functions Core Tools (`func`), the Event Hubs emulator as a container image.
"""

import json
import os
import shutil
import sys
from pathlib import Path

from dev.stack import ROOT, EventHubs, Host, Port, Stack
from dev.steps import StepFailed

COMPOSE = ROOT / "dev/emulators/event-hubs.yaml"


def check(stack: Stack) -> None:
    """Raises StepFailed that names what is missing, and how to get it."""
    if stack.host is Host.FUNC and not shutil.which("func"):
        raise StepFailed(
            "HOST=func wants Azure Functions Core Tools: `func` is not on PATH. "
            "Install version 4 (npm install -g azure-functions-core-tools@4), or leave HOST out."
        )
    if stack.event_hubs is EventHubs.EMULATOR and not shutil.which("docker"):
        raise StepFailed(
            "EVENTHUBS=emulator wants Docker with Compose: `docker` is not on PATH. "
            "Install Docker Engine, or leave EVENTHUBS out."
        )


def functions(stack: Stack) -> tuple[str, ...]:
    """The real host over this very app, started in its folder; settings come by its environment, as in Azure."""
    return ("func", "start", "--port", str(stack.port(Port.FUNCTIONS)))


def functions_environment() -> dict[str, str]:
    """The host starts its worker with the `python` that it finds first."""
    return {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}


def event_hubs(stack: Stack, hub: str) -> tuple[str, ...]:
    """`hub`: a name and a number of partitions, with a colon between. Writes the emulator's configuration."""
    folder = stack.home / "event-hubs-emulator"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "Config.json").write_text(json.dumps(_configuration(hub), indent=2))
    return (
        "docker", "compose", "--project-name", f"serial-console-{stack.base}", "--file", str(COMPOSE),
        "--project-directory", str(folder), "up", "--abort-on-container-exit",
    )  # fmt: skip


def event_hubs_environment(stack: Stack) -> dict[str, str]:
    return {"AMQP_PORT": str(stack.port(Port.EVENT_HUBS))}


def _configuration(hub: str) -> dict[str, object]:
    """As learn.microsoft.com describes it, "Test locally with the Azure Event Hubs emulator"."""
    name, _, partitions = hub.partition(":")
    entity = {"Name": name, "PartitionCount": partitions, "ConsumerGroups": []}
    namespace = {"Type": "EventHub", "Name": "emulatorNs1", "Entities": [entity]}
    return {"UserConfig": {"NamespaceConfig": [namespace], "LoggingConfig": {"Type": "Console"}}}

"""The exact list of functions and their bindings: one bad import silently un-indexes them all."""

import json
import subprocess
import sys
from typing import Any

import pytest

import function_app
from dev.stack import ROOT
from shared.session.durable.consoles import ENTITY

G = "subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Compute/"
VM = G + "virtualMachines/{name}/serialConsole"
INSTANCE = G + "virtualMachineScaleSets/{scale_set}/virtualMachines/{name}/serialConsole"
SCALE_SET = G + "virtualMachineScaleSets/{scale_set}/serialConsole"

HTTP = {
    "open_session": ("POST", f"{VM}/sessions"),
    "open_session_of_instance": ("POST", f"{INSTANCE}/sessions"),
    "show_session": ("GET", VM + "/sessions/{session}"),
    "show_session_of_instance": ("GET", INSTANCE + "/sessions/{session}"),
    "close_session": ("DELETE", VM + "/sessions/{session}"),
    "close_session_of_instance": ("DELETE", INSTANCE + "/sessions/{session}"),
    "show_console": ("GET", VM),
    "show_console_of_instance": ("GET", INSTANCE),
    "read_transcript": ("GET", f"{VM}/transcript"),
    "read_transcript_of_instance": ("GET", f"{INSTANCE}/transcript"),
    "list_all_consoles": ("GET", "consoles"),
    "list_all_approvals": ("GET", "approvals"),
    "show_config": ("GET", "config"),
    "show_keys": ("GET", "keys"),
    "show_health": ("GET", "health"),
    "show_openapi": ("GET", "openapi.json"),
    "attach": ("POST", "relay/attach"),
    "heartbeat": ("POST", "relay/heartbeat"),
    "detach": ("POST", "relay/detach"),
    "record_end": ("POST", "relay/record-end"),
    "refuse_console_of_scale_set": ("GET", SCALE_SET),
    "refuse_session_of_scale_set": ("POST", f"{SCALE_SET}/sessions"),
}
ACTS = ("reset", "restart", "start", "stop", "nmi", "sysrq")
AT_CONSOLES = {
    "list_sessions": ("GET", "/sessions"),
    "list_recordings": ("GET", "/recordings"),
    "place_hold": ("PUT", "/hold"),
    "lift_hold": ("DELETE", "/hold"),
    "verify_transcript": ("GET", "/transcript/verification"),
    "list_reads": ("GET", "/transcript/reads"),
    "search_transcript": ("GET", "/transcript/search"),
    "list_checkpoints": ("GET", "/checkpoints"),
    "read_boot_log": ("GET", "/bootLog"),
    "read_boot_screenshot": ("GET", "/bootScreenshot"),
    "ask_approval": ("POST", "/approvals"),
    "show_approval": ("GET", "/approvals/{approval}"),
    "decide_approval": ("POST", "/approvals/{approval}/decision"),
    **{f"{act}_vm": ("POST", f"/{act}") for act in ACTS},
}
for of, (method, tail) in AT_CONSOLES.items():
    HTTP |= {of: (method, VM + tail), f"{of}_of_instance": (method, INSTANCE + tail)}
SUBSCRIPTION = "subscriptions/{subscription}"
POLICIES = {
    "tenant": "policy",
    "subscription": f"{SUBSCRIPTION}/serialConsole/policy",
    "group": SUBSCRIPTION + "/resourceGroups/{group}/serialConsole/policy",
    "scale_set": f"{SCALE_SET}/policy",
    "vm": f"{VM}/policy",
    "instance": f"{INSTANCE}/policy",
}
for of, address in POLICIES.items():
    for verb, method in (("show", "GET"), ("set", "PUT"), ("clear", "DELETE")):
        HTTP[f"{verb}_policy_of_{of}"] = (method, address)
AZURE = "providers/Microsoft.SerialConsole"
HTTP |= {
    "azure_operations": ("GET", f"{AZURE}/operations"),
    "azure_console_status": ("GET", f"{SUBSCRIPTION}/{AZURE}/consoleServices/default"),
    "azure_disable_console": ("POST", f"{SUBSCRIPTION}/{AZURE}/consoleServices/default/disableConsole"),
    "azure_enable_console": ("POST", f"{SUBSCRIPTION}/{AZURE}/consoleServices/default/enableConsole"),
    "azure_all_ports": ("GET", f"{SUBSCRIPTION}/{AZURE}/serialPorts"),
}
for of, address in {
    "vm": G + "{kind}/{name}/" + AZURE,
    "instance": G + "virtualMachineScaleSets/{scale_set}/virtualMachines/{name}/" + AZURE,
}.items():
    HTTP |= {
        f"azure_ports_of_{of}": ("GET", f"{address}/serialPorts"),
        f"azure_port_of_{of}": ("GET", address + "/serialPorts/{port}"),
        f"azure_put_port_of_{of}": ("PUT", address + "/serialPorts/{port}"),
        f"azure_connect_{of}": ("POST", address + "/serialPorts/{port}/connect"),
    }
ALSO = {"show_health": ["HEAD"]}
"""What a function takes beside its method; test_routes tells where OPTIONS is."""
OTHERS = {
    "archive": "eventHubTrigger",
    "keep_archive": "timerTrigger",
    "clear_tables": "timerTrigger",
    "Console": "entityTrigger",
    "await_approval": "orchestrationTrigger",
    "settle_approval": "activityTrigger",
}
OF_THE_DURABLE_LIBRARY = {"BuiltIn__HttpActivity", "BuiltIn__HttpPollOrchestrator"}
FUNCTIONS = {function.get_function_name(): function for function in function_app.app.get_functions()}


def trigger(name: str) -> dict[str, Any]:
    bindings: list[dict[str, Any]] = json.loads(FUNCTIONS[name].get_function_json())["bindings"]
    return next(each for each in bindings if each["type"].endswith("Trigger"))


def test_these_are_the_functions_and_no_others() -> None:
    assert set(FUNCTIONS) == {*HTTP, *OTHERS, *OF_THE_DURABLE_LIBRARY}


@pytest.mark.parametrize("name", list(HTTP))
def test_each_has_its_address_and_asks_no_function_key(name: str) -> None:
    found, (method, route) = trigger(name), HTTP[name]
    assert (found["route"], found["authLevel"]) == (route, "ANONYMOUS")
    assert {str(each) for each in found["methods"]} - {"OPTIONS"} == {method, *ALSO.get(name, ())}


@pytest.mark.parametrize("name", list(OTHERS))
def test_what_is_not_http_has_its_trigger(name: str) -> None:
    assert trigger(name)["type"] == OTHERS[name]


def test_the_entity_is_found_by_the_name_that_the_adapter_asks_for() -> None:
    assert trigger("Console")["entityName"] == ENTITY


def test_importing_the_app_builds_no_client_and_loads_no_management_library() -> None:
    told = "import function_app, sys; print([m for m in sys.modules if m.startswith(('azure.mgmt', 'azure.identity'))])"
    ran = subprocess.run([sys.executable, "-c", told], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


def test_to_know_the_functions_imports_no_client_of_azure() -> None:
    """A cold start waits for it (docs/decisions.md): clients are imported when the first request needs them."""
    script = (
        "import sys, function_app; print(*({'aiohttp', 'azure.data.tables', 'azure.identity'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == []

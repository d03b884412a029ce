"""host.json, local.settings.sample.json and the documents, held to the code."""

import json
import re
from inspect import getsource
from typing import Any

import pytest

from dev.stack import ROOT
from shared.access import console_warnings
from shared.access.console_warnings import warnings
from shared.base.refusals import TABLE
from shared.base.settings import InvalidSetting, names
from shared.base.vm import Os
from shared.settings import FunctionSettings, RelaySettings
from tests.fakes import machine, settings

OF_THE_HOST = {"AzureWebJobsStorage", "AzureWebJobsDisableHomepage", "FUNCTIONS_WORKER_RUNTIME"}


def read(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((ROOT / name).read_text())
    return found


def rows(document: str, section: str = "") -> list[list[str]]:
    """Cells of every table row; only of one section's, where one is named."""
    text = (ROOT / document).read_text()
    if section:
        text = text.partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    lines = (line for line in text.splitlines() if line.startswith("| "))
    return [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in lines]


def test_the_sample_settings_are_those_that_are_read() -> None:
    values = read("local.settings.sample.json")["Values"]
    assert set(values) == {*names(FunctionSettings), *OF_THE_HOST}
    assert FunctionSettings.read(values).token_seconds == 30


@pytest.mark.parametrize(("of", "section"), [(FunctionSettings, "Function app"), (RelaySettings, "Relay")])
def test_every_setting_is_documented_with_its_meaning_and_default(of: type[Any], section: str) -> None:
    documented = {row[0]: row[1:] for row in rows("docs/settings.md", section)[1:]}
    assert documented == {
        f"`{name}`": [meaning, "must be set" if default is None else f"`{default}`" if default else "empty"]
        for name, (meaning, default) in names(of).items()
    }


def test_every_refusal_is_documented_as_the_table_has_it() -> None:
    documented = {row[0]: row for row in rows("docs/errors.md")}
    for code, entry in TABLE.items():
        command = f"`{entry.fix_command}`" if entry.fix_command else ""
        shown = [
            code.value,
            str(entry.status),
            str(entry.close or ""),
            str(entry.retry_after or ""),
            entry.message,
            entry.fix,
        ]
        assert [cell for cell in documented[code.value] if cell] == [cell for cell in [*shown, command] if cell]


def test_every_warning_is_documented() -> None:
    vms = [
        machine(password_login=False, storage_uri="https://x"),
        machine(os=Os.WINDOWS, latest_model=False),
        machine(os=Os.WINDOWS, publisher="MicrosoftWindowsDesktop"),
    ]
    warned = {each.code for vm in vms for each in warnings(vm)}
    named = set(re.findall(r'"([A-Z][A-Za-z]+)",$', getsource(console_warnings), re.MULTILINE))
    assert warned == named
    assert warned == {row[0] for row in rows("docs/errors.md", "Warnings")[1:]}


def test_the_host_is_set_as_the_document_says() -> None:
    host = read("host.json")
    assert host["extensionBundle"]["id"].endswith(".Preview")
    assert host["extensions"]["http"]["routePrefix"] == "api"
    assert host["extensions"]["eventHubs"] == {
        "maxEventBatchSize": 64,
        "batchCheckpointFrequency": 1,
        "loadBalancingUpdateInterval": "00:00:10",
        "partitionOwnershipExpirationInterval": "00:00:30",
    }
    assert host["extensions"]["durableTask"]["hubName"] == "serialconsole"
    documented = " ".join(" ".join(row) for row in rows("docs/settings.md"))
    for name in re.findall(r'"(\w+)":', json.dumps(host["extensions"])):
        assert name in documented or name in {"http", "durableTask", "eventHubs", "type"}, name


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"SESSION_ISSUER": ""}, "SESSION_ISSUER is not set"),
        ({"TOKEN_SECONDS": "soon"}, "TOKEN_SECONDS cannot be read"),
        ({"ENTRA_INSTANCE_DISCOVERY": "yes"}, "write on or off"),
        ({"RELAYS": "r0=http://x"}, "RELAYS cannot be read"),
        ({"RATE_CALLER": "0"}, "RATE_CALLER cannot be read .*: write 1 or more"),
        ({"CACHE_SECONDS": "-1"}, "CACHE_SECONDS cannot be read .*: write 0 or more"),
        (
            {"POLICY": '{"/": {"console": "shut"}}'},
            "POLICY cannot be read .*: console must be one of on, off, inherited",
        ),
        ({"RIGHTS": '{"write": ["*"]}'}, "RIGHTS cannot be read .*: write takes whole Azure actions"),
        ({"TRUSTED_PROXIES": "everybody"}, "TRUSTED_PROXIES cannot be read"),
    ],
)
def test_a_setting_that_is_wrong_is_named(wrong: dict[str, str], named: str) -> None:
    with pytest.raises(InvalidSetting, match=named):
        settings(**wrong)


def test_lists_are_separated_by_spaces_or_commas() -> None:
    read_back = settings(ENTRA_TENANTS="a, b c", RELAYS="r0=ws://a|http://b  r1=wss://c|https://d")
    assert read_back.tenants == ("a", "b", "c")
    assert [relay.name for relay in read_back.relays] == ["r0", "r1"]


def test_the_records_may_be_spelt_as_the_trigger_wants_them_for_an_identity() -> None:
    values = {name: "x" for name, (_, default) in names(FunctionSettings).items() if default is None}
    values |= {"RELAYS": "r0=wss://r|https://c"}
    del values["RECORDS"]
    namespace = "records.servicebus.windows.net"
    assert FunctionSettings.read(values | {"RECORDS__fullyQualifiedNamespace": namespace}).records == namespace
    with pytest.raises(InvalidSetting, match="RECORDS is not set"):
        FunctionSettings.read(values)

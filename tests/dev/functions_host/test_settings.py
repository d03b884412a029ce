import json
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dev.functions_host.settings import (
    FROM_END,
    FROM_START,
    HostSettings,
    HttpSettings,
    HubConnection,
    SettingMissing,
    hub_connection,
    load_local_settings,
    read_host_settings,
    resolve,
)


def host_json(folder: Path, extensions: object) -> HostSettings:
    (folder / "host.json").write_text(json.dumps({"version": "2.0", "extensions": extensions}))
    return read_host_settings(folder)


def test_an_empty_host_json_means_azures_defaults(tmp_path: Path) -> None:
    assert host_json(tmp_path, {}) == HostSettings(
        HttpSettings("api", 100, 200, {}), {}, 1800, 100, FROM_START, 30, 120
    )


def test_host_json_is_read(tmp_path: Path) -> None:
    told = {
        "http": {
            "routePrefix": "",
            "maxConcurrentRequests": 3,
            "maxOutstandingRequests": -1,
            "customHeaders": {"X-A": "1"},
        },
        "durableTask": {"hubName": "hub"},
        "eventHubs": {
            "maxEventBatchSize": 7,
            "initialOffsetOptions": {"type": "fromEnd"},
            "loadBalancingUpdateInterval": "00:00:10",
            "partitionOwnershipExpirationInterval": "00:01:30",
        },
    }
    http = HttpSettings("", 3, sys.maxsize, {"X-A": "1"})
    assert host_json(tmp_path, told) == HostSettings(http, {"hubName": "hub"}, 1800, 7, FROM_END, 10, 90)


@pytest.mark.parametrize(("told", "limit"), [("00:05:00", 300), ("01:00:01.5", 3601.5), ("-1", None)])
def test_the_time_limit_of_functions_is_read(tmp_path: Path, told: str, limit: float | None) -> None:
    (tmp_path / "host.json").write_text(json.dumps({"version": "2.0", "functionTimeout": told}))
    assert read_host_settings(tmp_path).limit == limit


def test_reading_may_begin_at_a_time(tmp_path: Path) -> None:
    options = {"type": "fromEnqueuedTime", "enqueuedTimeUtc": "2024-01-02T03:04:05Z"}
    read = host_json(tmp_path, {"eventHubs": {"initialOffsetOptions": options}})
    assert read.initial_position == datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)


def test_an_unknown_start_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="fromMemory"):
        host_json(tmp_path, {"eventHubs": {"initialOffsetOptions": {"type": "fromMemory"}}})


def test_a_folder_without_host_json_is_no_app(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_host_settings(tmp_path)


def test_local_settings_fill_in_what_the_environment_lacks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAMPLE_A", "from the environment")
    monkeypatch.setenv("SAMPLE_B", "")
    monkeypatch.delenv("SAMPLE_B")
    values = {"SAMPLE_A": "from the file", "SAMPLE_B": "from the file"}
    (tmp_path / "local.settings.json").write_text(json.dumps({"IsEncrypted": False, "Values": values}))
    assert load_local_settings(tmp_path) == ["SAMPLE_B"]
    assert resolve("%SAMPLE_A%, %SAMPLE_B%") == "from the environment, from the file"


def test_no_local_settings_are_fine(tmp_path: Path) -> None:
    assert load_local_settings(tmp_path) == []


def test_encrypted_settings_are_refused(tmp_path: Path) -> None:
    (tmp_path / "local.settings.json").write_text(json.dumps({"IsEncrypted": True, "Values": {"A": "xyz"}}))
    with pytest.raises(ValueError, match="encrypted"):
        load_local_settings(tmp_path)


def test_a_reference_to_a_missing_setting_names_it() -> None:
    with pytest.raises(SettingMissing, match="NO_SUCH_SETTING"):
        resolve("%NO_SUCH_SETTING%")


def test_a_connection_is_a_string_or_a_namespace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAMPLE", "Endpoint=sb://x/")
    assert hub_connection("SAMPLE") == HubConnection(connection_string="Endpoint=sb://x/")
    monkeypatch.setenv("SAMPLE__fullyQualifiedNamespace", "x.servicebus.windows.net")
    assert hub_connection("SAMPLE") == HubConnection(namespace="x.servicebus.windows.net")

import concurrent.futures
import json
from functools import partial
from pathlib import Path

import pytest

from tests.contract.azurite import azurite
from tests.dev.functions_host.host_process import HostProcess, running, until
from tests.patience import PATIENCE

EVERY_SECOND = {"SAMPLE_SCHEDULE": "* * * * * *"}


def ticks(host: HostProcess) -> list[str]:
    told: list[str] = host.get("seen").json()["ticks"]
    return told


def test_it_says_that_it_is_a_stand_in() -> None:
    with running(ready=False) as host:
        until(lambda: bool(host.lines), host)
        assert "STAND-IN" in host.lines[0]


def test_timers_run_at_start_on_their_schedule_and_when_asked(tmp_path: Path) -> None:
    with running(settings=EVERY_SECOND) as host:
        until(lambda: ticks(host)[:3] == ["on time"] * 3, host)
    with (
        azurite(tmp_path / "azurite") as storage,
        running(settings={"AzureWebJobsStorage": storage}, extra=("--function-key", "k")) as host,
    ):
        until(lambda: ticks(host) == ["on time"], host)  # runOnStartup
        key = {"x-functions-key": "k"}
        assert host.client.post("/admin/functions/tick").status_code == 401
        assert host.client.post("/admin/functions/tick", headers=key).status_code == 202
        until(lambda: len(ticks(host)) == 2, host)
        assert host.client.post("/admin/functions/noop", headers=key).status_code == 404


def test_local_settings_reach_the_app_but_not_over_the_environment(app: Path) -> None:
    values = {"SAMPLE_A": "file", "SAMPLE_B": "file"}
    (app / "local.settings.json").write_text(json.dumps({"IsEncrypted": False, "Values": values}))
    with running(app, {"SAMPLE_A": "environment"}) as host:
        assert host.get("settings/SAMPLE_A").json() == "environment"
        assert host.get("settings/SAMPLE_B").json() == "file"


def test_sigterm_lets_a_running_call_end_and_the_host_exits_with_0() -> None:
    with running() as host, concurrent.futures.ThreadPoolExecutor() as threads:
        call = threads.submit(host.get, "slow", params={"seconds": "1"})
        until(lambda: {"slow": "began"} in host.seen(), host)
        host.process.terminate()
        assert call.result().text == "done"
        assert host.process.wait(PATIENCE) == 0
        assert "stopped" in host.lines[-1]


def test_entities_survive_a_restart_where_a_state_file_is_named(tmp_path: Path) -> None:
    extra = ("--state", str(tmp_path / "state" / "entities.db"))
    for generation in (1, 2):
        with running(extra=extra) as host:
            host.post("locks/Kept/acquire", "bob")
            until(partial(_has, host, "Kept", generation), host)


def test_without_a_state_file_a_restart_forgets() -> None:
    for _ in range(2):
        with running() as host:
            assert host.get("locks/a").json() is None
            host.post("locks/a/acquire", "bob")
            until(partial(_has, host, "a", 1), host)


def _has(host: HostProcess, key: str, generation: int) -> bool:
    return bool(host.get(f"locks/{key}").json() == {"owner": "bob", "generation": generation})


@pytest.mark.parametrize(
    ("break_it", "complaint"),
    [
        (lambda app: (app / "function_app.py").write_text("import no_such_module"), "no_such_module"),
        (lambda app: (app / "function_app.py").unlink(), "no function_app.py"),
        (lambda app: (app / "host.json").unlink(), "host.json"),
    ],
)
def test_an_app_that_cannot_be_loaded_ends_the_host_with_1(app: Path, break_it: object, complaint: str) -> None:
    assert callable(break_it)
    break_it(app)
    with running(app, ready=False) as host:
        assert host.process.wait(PATIENCE) == 1
        until(lambda: complaint in host.log, host)


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [({"SAMPLE_SCHEDULE": "never"}, "not enough values"), ({"SAMPLE_EVENTHUB": ""}, "SAMPLE_EVENTHUB is not set")],
)
def test_a_binding_that_cannot_work_ends_the_host_with_1(settings: dict[str, str], complaint: str) -> None:
    with running(settings=settings, ready=False) as host:
        assert host.process.wait(PATIENCE) == 1
        until(lambda: complaint in host.log, host)


def test_a_port_that_is_taken_is_said_so() -> None:
    with running() as first, running(extra=("--port", str(first.client.base_url.port)), ready=False) as second:
        assert second.process.wait(PATIENCE) == 1
        until(lambda: "cannot start" in second.log, second)

import time
from concurrent.futures import ThreadPoolExecutor

from durabletask.internal import orchestrator_service_pb2 as pb

from dev.functions_host.task_hub import IN_PROCESS, LOOK_SECONDS, TaskHub
from tests.dev.functions_host.host_process import HostProcess, until
from tests.patience import PATIENCE

COMPLETED = pb.CompleteOrchestrationAction(orchestrationStatus=pb.ORCHESTRATION_STATUS_COMPLETED)
END = pb.OrchestratorAction(id=-1, completeOrchestration=COMPLETED)


def signalled(host: HostProcess, key: str, op: str, value: object = 0) -> None:
    assert host.post(f"locks/{key}/{op}", value).status_code == 202


def state(host: HostProcess, key: str) -> object:
    return host.get(f"locks/{key}").json()


def test_an_entity_is_signalled_and_its_state_read(host: HostProcess) -> None:
    assert state(host, "nobodys") is None
    signalled(host, "told", "acquire", "bob")
    until(lambda: state(host, "told") == {"owner": "bob", "generation": 1}, host)
    signalled(host, "told", "release", 1)
    until(lambda: state(host, "told") == {"owner": None, "generation": 1}, host)


def test_fifty_signals_are_served_one_after_the_other(host: HostProcess) -> None:
    for _ in range(50):
        signalled(host, "busy", "bump")
    until(lambda: state(host, "busy") == {"owner": None, "generation": 50}, host)


def test_what_an_orchestration_calls_an_entity_with_never_arrives(host: HostProcess) -> None:
    """As on the storage backend with this library (docs/fidelity.md)."""
    answer = host.post("run/call_lock?seconds=1", {"key": "called", "op": "acquire", "input": "bob"})
    assert answer.status_code != 200
    assert state(host, "called") is None
    assert "the call is lost" in host.log


def test_who_waits_for_an_orchestration_is_answered_when_the_engine_looks_again() -> None:
    hub = TaskHub()
    hub.start()
    try:
        hub.StartInstance(pb.CreateInstanceRequest(instanceId="one", name="any"), IN_PROCESS)
        with ThreadPoolExecutor(1) as threads:
            began = time.monotonic()
            waiting = threads.submit(hub.WaitForInstanceCompletion, pb.GetInstanceRequest(instanceId="one"), IN_PROCESS)
            while not hub._state_waiters.get("one"):
                time.sleep(0.01)
            # It ends after the wait began, however busy the machine is.
            hub.complete(next(hub.work()), pb.OrchestratorResponse(instanceId="one", actions=[END]))
            assert waiting.result(PATIENCE).orchestrationState.orchestrationStatus == pb.ORCHESTRATION_STATUS_COMPLETED
        assert time.monotonic() - began > LOOK_SECONDS / 2
    finally:
        hub.stop()


def test_activities_fan_out_and_orchestrations_nest(host: HostProcess) -> None:
    assert host.run("fan_out", 10)["output"] == 90
    assert host.run("parent", 10)["output"] == 90


def test_ten_activities_run_at_the_same_time_and_no_more(host: HostProcess) -> None:
    assert host.run("crowd", 25)["output"] == 10


def test_a_failing_activity_can_be_caught(host: HostProcess) -> None:
    assert host.run("failing", "x")["output"] == {"caught": "activity exploded: x", "type": "RuntimeError"}


def test_a_failing_entity_keeps_its_state(host: HostProcess) -> None:
    signalled(host, "boom", "acquire", "bob")
    signalled(host, "boom", "boom")
    signalled(host, "boom", "nonesuch")
    signalled(host, "boom", "bump")
    until(lambda: state(host, "boom") == {"owner": "bob", "generation": 2}, host)


def test_an_orchestration_that_does_not_exist_fails_and_is_logged(host: HostProcess) -> None:
    failed = host.run("nonesuch", 1)
    assert failed["status"] == "FAILED"
    assert "no durable function is named nonesuch" in host.log

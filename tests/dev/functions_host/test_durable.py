import concurrent.futures

from tests.dev.functions_host.host_process import HostProcess, until


def lock(host: HostProcess, key: str, op: str, value: object = None) -> object:
    return host.run("call_lock", {"key": key, "op": op, "input": value})["output"]


def test_an_entity_answers_through_an_orchestration(host: HostProcess) -> None:
    assert lock(host, "a", "acquire", "bob") == {"ok": True, "owner": "bob", "generation": 1}
    assert lock(host, "a", "acquire", "eve") == {"ok": False, "owner": "bob", "generation": 1}
    assert lock(host, "a", "release", 1) is True
    assert lock(host, "a", "acquire", "eve") == {"ok": True, "owner": "eve", "generation": 2}


def test_an_entitys_state_can_be_read(host: HostProcess) -> None:
    lock(host, "read", "acquire", "bob")
    assert host.get("locks/read").json() == {"owner": "bob", "generation": 1}
    assert host.get("locks/nobodys").json() is None


def test_an_entity_can_be_signalled(host: HostProcess) -> None:
    lock(host, "told", "acquire", "bob")
    assert host.post("locks/told/release", 1).status_code == 202
    until(lambda: host.get("locks/told").json()["owner"] is None)


def test_fifty_calls_at_once_are_served_one_after_the_other(host: HostProcess) -> None:
    with concurrent.futures.ThreadPoolExecutor(50) as threads:
        generations = list(threads.map(lambda _: lock(host, "busy", "bump"), range(50)))
    assert sorted(map(int, map(str, generations))) == list(range(1, 51))


def test_activities_fan_out_and_orchestrations_nest(host: HostProcess) -> None:
    assert host.run("fan_out", 10)["output"] == 90
    assert host.run("parent", 10)["output"] == 90


def test_an_orchestration_can_hold_an_entity(host: HostProcess) -> None:
    assert host.run("with_lock", "held")["output"] == [1, 2]


def test_a_failing_activity_can_be_caught(host: HostProcess) -> None:
    assert host.run("failing", "x")["output"] == {"caught": "activity exploded: x", "type": "RuntimeError"}


def test_a_failing_entity_fails_its_caller_and_keeps_its_state(host: HostProcess) -> None:
    lock(host, "boom", "acquire", "bob")
    failed = host.run("call_lock", {"key": "boom", "op": "boom"})
    assert failed["status"] == "FAILED"
    assert "boom in entity" in str(failed["failure"])
    assert host.get("locks/boom").json() == {"owner": "bob", "generation": 1}


def test_an_operation_that_is_none_fails_its_caller(host: HostProcess) -> None:
    assert host.run("call_lock", {"key": "b", "op": "nonesuch"})["status"] == "FAILED"


def test_an_orchestration_that_does_not_exist_fails_and_is_logged(host: HostProcess) -> None:
    failed = host.run("nonesuch", 1)
    assert failed["status"] == "FAILED"
    assert "no durable function is named nonesuch" in host.log

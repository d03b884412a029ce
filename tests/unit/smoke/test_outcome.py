"""Steps in turn, what depends on what, and what a pipeline is told."""

from collections.abc import Callable

import httpx
import pytest

from smoke.outcome import Failed, Result, Row, Step, run, status, to_json
from smoke.service import expect, json_of, refusal_of
from smoke.steps import STEPS


def works(words: str = "fine") -> Callable[[list[str]], str]:
    def do(did: list[str]) -> str:
        did.append(words)
        return words

    return do


def fails(_did: list[str]) -> str:
    raise Failed("the relay is away")


def tried(*steps: Step[list[str]]) -> tuple[list[Row], list[str]]:
    did: list[str] = []
    ticks = iter(range(100))
    rows = run(steps, did, lambda: float(next(ticks)), lambda _: None, lambda _: None)
    return rows, did


def test_each_step_is_tried_in_turn_and_timed() -> None:
    rows, did = tried(Step("one", works("1")), Step("two", works("2"), ("one",)))
    assert did == ["1", "2"]
    assert rows == [Row("one", Result.WORKS, 1000.0, "1"), Row("two", Result.WORKS, 1000.0, "2")]
    assert status(rows) == 0


def test_what_needs_something_that_does_not_work_is_skipped_and_the_rest_is_tried() -> None:
    rows, did = tried(
        Step("one", fails),
        Step("two", works("2"), ("one",)),
        Step("three", works("3"), ("two",)),
        Step("four", works("4")),
    )
    assert did == ["4"]
    assert [(row.result, row.words) for row in rows] == [
        (Result.FAILS, "the relay is away"),
        (Result.SKIPPED, "needs one"),
        (Result.SKIPPED, "needs two"),
        (Result.WORKS, "4"),
    ]
    assert status(rows) == 1


def test_an_answer_of_another_form_is_a_failure_and_no_fault() -> None:
    def reads(_did: list[str]) -> str:
        answer: dict[str, str] = {}
        return answer["dependencies"]

    rows, did = tried(Step("one", reads), Step("two", works("2")))
    assert (rows[0].result, did) == (Result.FAILS, ["2"])
    assert "is this the API?" in rows[0].words


def test_progress_names_each_step_before_it_begins() -> None:
    heard: list[str] = []
    run(
        [Step("one", works()), Step("two", fails)],
        heard,
        lambda: 0.0,
        heard.append,
        lambda row: heard.append(row.result),
    )
    assert heard == ["one", "fine", "works", "two", "fails"]


def test_a_program_gets_the_same_as_a_person() -> None:
    rows, _ = tried(Step("one", fails))
    assert to_json("https://x/api", rows) == {
        "api": "https://x/api",
        "works": False,
        "steps": [{"step": "one", "result": "fails", "milliseconds": 1000.0, "words": "the relay is away"}],
    }


def test_every_step_needs_steps_that_come_before_it() -> None:
    names = [step.name for step in STEPS]
    assert len(set(names)) == len(names)
    for at, step in enumerate(STEPS):
        assert set(step.needs) <= set(names[:at]), step.name


def test_a_refusal_is_told_with_its_code_and_what_mends_it() -> None:
    inner = {"fix": "Start the VM.", "fixCommand": "az vm start"}
    answer = httpx.Response(409, json={"error": {"code": "VmNotRunning", "message": "It is off.", "innererror": inner}})
    assert refusal_of(answer) == "VmNotRunning (409): It is off. Start the VM. az vm start"
    with pytest.raises(Failed, match="VmNotRunning"):
        expect(answer, 200, 201)
    assert expect(answer, 409) is answer


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"error": "x"}'])
def test_an_answer_of_something_else_is_told_as_it_is(body: bytes) -> None:
    assert refusal_of(httpx.Response(502, content=body)) == f"answered 502: {body.decode()}"


def test_an_answer_that_is_no_json_is_not_the_api() -> None:
    with pytest.raises(Failed, match="is this the API"):
        json_of(httpx.Response(200, text="<html>"))


def test_the_hosts_own_answer_is_told_as_that() -> None:
    assert refusal_of(httpx.Response(404)) == (
        "answered 404: nothing in it: the Functions host's own answer, see docs/errors.md"
    )

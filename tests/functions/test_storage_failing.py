"""What people are told while the service's own tables and blobs fail."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from dev.demo import ADA, GRACE
from dev.storage.trouble import SERVER_BUSY, Trouble
from tests.contract.azurite import azurite
from tests.contract.strict_storage import Strict, strict_storage
from tests.functions.control_plane import ControlPlane, control_plane
from tests.functions.test_over_http import attach, opened, refusal, vm

FOR_EVER = 1 << 30
LONGER_THAN_ANYBODY_WAITS = 120.0
TABLES, BLOBS = "The service's table storage", "The service's blob storage"


@dataclass(frozen=True)
class Failing:
    plane: ControlPlane
    strict: Strict

    def now(self, words: str, answer: tuple[int, str, str] | None = None, silent: float = 0.0) -> Trouble:
        """Every request whose method and address hold these words meets it."""
        made = self.strict.proxy.trouble = Trouble(answer, words, FOR_EVER, silent)
        return made


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Failing]:
    home = tmp_path_factory.mktemp("failing-storage")
    with azurite(home / "own") as account, strict_storage(account) as strict:
        strict.proxy.pages = None
        with control_plane(home, TRANSCRIPT_STORAGE=strict.connection) as plane:
            assert plane.call("GET", f"{vm('web-01')}/serialConsole", ADA).status_code == 200  # makes the tables
            yield Failing(plane, strict)


@pytest.fixture
def failing(running: Failing) -> Iterator[Failing]:
    yield running
    running.strict.proxy.trouble = Trouble()


@pytest.mark.parametrize(
    ("method", "path", "meets", "who"),
    [
        ("GET", f"{vm('web-01')}/serialConsole", "/approvals", TABLES),
        ("POST", f"{vm('web-01')}/serialConsole/sessions", "/paces", TABLES),
        ("POST", f"{vm('web-01')}/serialConsole/sessions", "/sessions", TABLES),
        ("GET", f"{vm('web-01')}/serialConsole/recordings", "comp=list", BLOBS),
        ("GET", f"{vm('web-01')}/serialConsole/transcript", "comp=list", BLOBS),
        ("GET", f"{vm('web-01')}/serialConsole/transcript/verification", "/checkpoints", BLOBS),
    ],
)
def test_a_storage_that_says_nothing_is_given_up_and_one_that_throttles_is_told_as_such(
    failing: Failing, method: str, path: str, meets: str, who: str
) -> None:
    asked = {"json": {"takeover": "force"}} if method == "POST" else {}
    silence = failing.now(meets, silent=LONGER_THAN_ANYBODY_WAITS)
    answer = failing.plane.call(method, path, ADA, **asked)
    assert refusal(answer) == (504, "AzureTimeout"), answer.text
    assert f"{who} took a question" in answer.json()["error"]["message"]
    assert len(silence.met) == len({*silence.met}), "what said nothing is not asked again"
    failing.now(meets, SERVER_BUSY)
    answer = failing.plane.call(method, path, ADA, **asked)
    assert refusal(answer) == (429, "AzureThrottled"), answer.text
    assert f"{who} throttles" in answer.json()["error"]["message"]
    assert int(answer.headers["retry-after"]) > 0
    failing.strict.proxy.trouble = Trouble()
    assert failing.plane.call(method, path, ADA, **asked).status_code in (200, 201)


def test_tables_that_answer_each_question_late_cost_one_request_no_more_than_its_time(failing: Failing) -> None:
    """Each answer comes before the silence counts as one; all of them would take longer than a request has."""
    late = failing.now("/devstoreaccount1/", silent=4.0)
    answer = failing.plane.call("POST", f"{vm('web-01')}/serialConsole/sessions", GRACE, json={})
    assert refusal(answer) == (503, "AzureUnavailable"), answer.text
    assert "so slowly" in answer.text or "was not asked" in answer.text
    assert late.met


def test_a_console_whose_session_could_not_be_written_down_is_free(failing: Failing) -> None:
    """What was taken is given back although the request has no time left for it."""
    failing.now("POST /devstoreaccount1/sessions", silent=LONGER_THAN_ANYBODY_WAITS)
    answer = failing.plane.call("POST", f"{vm('web-04')}/serialConsole/sessions", ADA, json={"takeover": "never"})
    assert refusal(answer) == (504, "AzureTimeout"), answer.text
    failing.strict.proxy.trouble = Trouble()
    opened(failing.plane, "web-04", GRACE, takeover="never")


def test_a_heartbeat_is_told_that_its_lease_was_not_kept(failing: Failing) -> None:
    session = opened(failing.plane, "web-01", GRACE)
    assert attach(failing.plane, session["token"]).status_code == 200
    failing.now("/relayleases", silent=LONGER_THAN_ANYBODY_WAITS)
    answer = failing.plane.as_relay("heartbeat", {"relay": "r0", "sessions": []})
    assert refusal(answer) == (504, "AzureTimeout"), answer.text

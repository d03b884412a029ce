"""The step that holds every described operation to the function that answers it."""

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import httpx
import pytest

from smoke.outcome import Failed
from smoke.steps import check_routes

if TYPE_CHECKING:
    from smoke.context import Context

PATHS = {
    "/config": {"get": {"operationId": "show_config"}},
    "/subscriptions/{subscription}/x/{name}": {
        "parameters": [
            {"name": "subscription", "schema": {"type": "string", "format": "uuid"}},
            {"name": "name", "schema": {"type": "string"}},
        ],
        "get": {"operationId": "show_x"},
        "put": {"operationId": "set_x", "requestBody": {}},
    },
}
ANSWERS = {"GET /config": "show_config", "GET /subscriptions": "show_x", "PUT /subscriptions": "set_x"}


class Api:
    """Answers as `answers` say which function does."""

    def __init__(self, answers: dict[str, str]) -> None:
        self.answers = answers
        self.asked: list[tuple[str, str, bool]] = []

    def get_json(self, _path: str) -> Any:
        return {"paths": PATHS}

    def ask(self, method: str, path: str, *, signed: bool, **options: Any) -> httpx.Response:
        self.asked.append((method, path, "json" in options))
        assert not signed
        assert "{" not in path
        name = self.answers.get(f"{method} /{path.split('/')[1]}")
        return httpx.Response(401 if name else 404, headers={"x-console-operation": name} if name else {})


def tried(answers: dict[str, str]) -> tuple[str, Api]:
    api = Api(answers)
    return check_routes(cast("Context", SimpleNamespace(api=api))), api


def test_every_operation_is_asked_for_with_what_fits_its_address() -> None:
    said, api = tried(ANSWERS)
    assert said == "3 operations are answered by their own functions"
    assert sorted((method, body) for method, _, body in api.asked) == [("GET", False), ("GET", False), ("PUT", True)]


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        (
            ANSWERS | {"PUT /subscriptions": "show_x"},
            r"1 of 3 .*PUT /subscriptions/.*: show_x",
        ),
        ({"GET /config": "show_config"}, "2 of 3 .*nobody"),
    ],
    ids=["another function", "the host itself"],
)
def test_an_operation_that_somebody_else_answers_is_named(answers: dict[str, str], words: str) -> None:
    with pytest.raises(Failed, match=words):
        tried(answers)

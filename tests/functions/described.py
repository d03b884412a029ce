"""Every answer that a test gets is held to the API's description: its status, its type, each of its fields."""

import json
import re
from functools import cache
from typing import Any

import httpx
import jsonschema_rs

import function_app
from dev.functions_host.request_target import target
from functions.http.openapi import document


def closed(schema: Any) -> Any:
    """The schema, which now also refuses what it does not name: an answer is not to say more than is described."""
    if isinstance(schema, list):
        return [closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    shut = {"additionalProperties": False} if "properties" in schema and "required" in schema else {}
    return shut | {name: closed(each) for name, each in schema.items()}


def conforms(answer: httpx.Response) -> None:
    """Raises AssertionError. What leads nowhere, what relays ask, and what no function hears of is not described."""
    if answer.status_code == httpx.codes.BAD_REQUEST and not answer.content:
        return  # the host's own
    path = target(answer.request.url.raw_path.decode()).path
    for address, item in _paths():
        if (said := item.get(answer.request.method.lower())) and address.fullmatch(path):
            _conforms(answer, said)
            return


def _conforms(answer: httpx.Response, said: dict[str, Any]) -> None:
    assert str(answer.status_code) in said["responses"], f"{said['operationId']} answered {answer.status_code}"
    expected = said["responses"][str(answer.status_code)]
    if "$ref" in expected:
        expected = _whole()["components"]["responses"][expected["$ref"].rpartition("/")[2]]
    media = answer.headers.get("content-type", "").partition(";")[0]
    if "content" not in expected:
        assert not answer.content
        return
    assert media in expected["content"], f"{said['operationId']} answered {media}"
    if media == "application/json":
        _validator(json.dumps(expected["content"][media]["schema"])).validate(answer.json())


@cache
def _whole() -> dict[str, Any]:
    assert function_app.app, "importing it describes every operation"
    return document(compatible=True)


@cache
def _validator(schema: str) -> jsonschema_rs.Draft202012Validator:
    parts = {"schemas": closed(_whole()["components"]["schemas"])}
    return jsonschema_rs.Draft202012Validator(json.loads(schema) | {"components": parts}, validate_formats=True)


@cache
def _paths() -> tuple[tuple[re.Pattern[str], dict[str, Any]], ...]:
    return tuple(
        (re.compile("/api" + re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(path)), re.IGNORECASE), item)
        for path, item in _whole()["paths"].items()
    )

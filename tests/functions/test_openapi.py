"""The description of the API: it is valid, and it names every operation as it is registered."""

import json
from typing import Any

import jsonschema_rs
import pytest
from schemathesis.specs.openapi.definitions import OPENAPI_31_VALIDATOR

from functions.http.openapi import document
from functions.http.operations import OPERATIONS
from functions.http.responses import INTERNAL_ERROR
from shared.base.refusals import Code
from tests.functions.control_plane import ControlPlane
from tests.functions.test_the_app import HTTP

DOCUMENT = document(compatible=True)
METHODS = ("get", "put", "post", "delete")
PUBLIC = {"show_config", "show_keys", "show_health", "show_openapi"}
MEANT = {name: (methods, f"/{route}") for name, (methods, route) in HTTP.items() if not route.startswith("relay/")}


def described(whole: dict[str, Any]) -> dict[str, tuple[str, str]]:
    return {
        item[method]["operationId"]: (method.upper(), path)
        for path, item in whole["paths"].items()
        for method in METHODS
        if method in item
    }


def operation(name: str) -> dict[str, Any]:
    method, path = MEANT[name]
    found: dict[str, Any] = DOCUMENT["paths"][path][method.lower()]
    return found


def test_it_is_valid_openapi() -> None:
    OPENAPI_31_VALIDATOR.validate(DOCUMENT)


@pytest.mark.parametrize("name", DOCUMENT["components"]["schemas"])
def test_its_schemas_are_schemas(name: str) -> None:
    """Building a validator follows every reference as well."""
    whole = {"$ref": f"#/components/schemas/{name}", "components": DOCUMENT["components"]}
    jsonschema_rs.Draft202012Validator(whole)


def test_it_names_every_operation_with_its_method_and_nothing_else() -> None:
    assert described(DOCUMENT) == MEANT


def test_every_blank_of_an_address_is_described() -> None:
    for path, item in DOCUMENT["paths"].items():
        blanks = [each["name"] for each in item.get("parameters", [])]
        assert all(f"{{{name}}}" in path for name in blanks)
        assert len(blanks) == path.count("{")


@pytest.mark.parametrize("name", MEANT)
def test_only_what_is_public_asks_for_no_token(name: str) -> None:
    said = operation(name)
    assert (said.get("security") == []) is (name in PUBLIC)
    assert ("401" in said["responses"]) is (name not in PUBLIC)


def test_the_codes_of_its_errors_are_all_that_there_are() -> None:
    error = DOCUMENT["components"]["schemas"]["Error"]["properties"]["error"]
    assert error["properties"]["code"]["enum"] == [*(code.value for code in Code), INTERNAL_ERROR]


def test_azures_own_addresses_are_named_only_where_they_are_served() -> None:
    assert {name for name in MEANT if name not in described(document(compatible=False))} == {
        name for name in MEANT if name.startswith("azure_")
    }


def test_an_instances_operation_is_that_of_a_vm() -> None:
    for name in MEANT:
        if name.endswith("_of_instance") and "policy" not in name and not name.startswith("azure_"):
            assert OPERATIONS[name].description is OPERATIONS[name.removesuffix("_of_instance")].description


def test_anybody_may_have_it(plane: ControlPlane) -> None:
    answer = plane.call("GET", "/api/openapi.json", None)
    assert (answer.status_code, answer.headers["content-type"].partition(";")[0]) == (200, "application/json")
    assert answer.json() == json.loads(json.dumps(DOCUMENT))

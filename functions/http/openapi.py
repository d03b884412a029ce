"""GET /api/openapi.json: the OpenAPI document, built from the description beside each trigger."""

import re
from collections.abc import Iterable
from typing import Any

import azure.durable_functions as df
import azure.functions as func

from functions.http.operations import AZURES, NEVER, OPERATIONS, Description, Operation
from functions.http.pipeline import Result, answer_anybody
from functions.http.responses import CORRELATION, INTERNAL_ERROR
from functions.http.routes import at
from functions.http.schemas import PARAMETERS, SCHEMAS, TEXT, Schema, ref
from shared.access.compatibility import Compatibility
from shared.base.refusal_table import TABLE
from shared.session.dependencies import Dependencies

bp = df.Blueprint(http_auth_level=func.AuthLevel.ANONYMOUS)
_BLANK = re.compile(r"\{(\w+)\}")
_SIGN_IN = "entra"


async def show_openapi(req: func.HttpRequest, starter: str) -> func.HttpResponse:
    return await answer_anybody("show_openapi", req, starter, _show)


async def _show(dependencies: Dependencies) -> Result:
    return Result(document(compatible=dependencies.settings.compatibility is not Compatibility.OFF))


at(
    bp, "show_openapi", "GET", "openapi.json", show_openapi,
    description=Description("This description", {200: {"type": "object"}}, NEVER, public=True),
)  # fmt: skip


def document(*, compatible: bool) -> dict[str, Any]:
    """Builds the OpenAPI document. `compatible` includes the operations of Azure's own API."""
    described = [each for each in OPERATIONS.values() if compatible or each.description.dialect != AZURES]
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Serial console",
            "version": "1",
            "description": "Serial consoles of Azure virtual machines. Every refusal is the error envelope of Azure "
            "Resource Manager; its codes are listed in the documentation of errors.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/api"}],
        "security": [{_SIGN_IN: []}],
        "paths": _paths(described),
        "components": {
            "schemas": SCHEMAS,
            "responses": {_refusal_name(status): _refusal(status) for status in _statuses(described)},
            "securitySchemes": {_SIGN_IN: _BEARER},
        },
    }


_BEARER = {
    "type": "http",
    "scheme": "bearer",
    "bearerFormat": "JWT",
    "description": "An access token of Entra ID for the API's audience: GET /api/config says where to get it.",
}


def _paths(described: Iterable[Operation]) -> dict[str, Any]:
    paths: dict[str, Any] = {}
    for each in described:
        item = paths.setdefault(f"/{each.address}", _item(each.address))
        item[each.method.lower()] = _operation(each)
    return paths


def _item(address: str) -> dict[str, Any]:
    blanks = [_parameter("path", name, *PARAMETERS[name], required=True) for name in _BLANK.findall(address)]
    return {"parameters": blanks} if blanks else {}


def _operation(operation: Operation) -> dict[str, Any]:
    description = operation.description
    operation_object = {
        "operationId": operation.name,
        "summary": description.summary,
        "tags": [description.dialect],
        "responses": {str(status): _done(description, schema) for status, schema in description.answers.items()}
        | {str(status): {"$ref": f"#/components/responses/{_refusal_name(status)}"} for status in description.refuses},
    }
    parameters = [_parameter("query", name, *what) for name, what in description.query.items()]
    parameters += [_parameter("header", name, words, TEXT) for name, words in description.headers.items()]
    parts = {
        "parameters": parameters,
        "security": [] if description.public else None,
        "requestBody": _body(description),
    }
    return operation_object | {
        name: part for name, part in parts.items() if part is not None and (part or name == "security")
    }


def _body(description: Description) -> dict[str, Any] | None:
    if description.body is None:
        return None
    content = {"application/json": {"schema": ref(description.body)}}
    return {"required": True, "content": content}


def _parameter(where: str, name: str, words: str, schema: Schema, *, required: bool = False) -> dict[str, Any]:
    return {"name": name, "in": where, "required": required, "description": words, "schema": schema}


def _done(description: Description, schema: Schema | None) -> dict[str, Any]:
    """Builds the response of a success; it has no `content` if `schema` is None."""
    response_object: dict[str, Any] = {
        "description": "Done",
        "headers": _headers(CORRELATION, *description.response_headers),
    }
    return response_object | (
        {} if schema is None else {"content": {media: {"schema": schema} for media in description.media}}
    )


def _refusal(status: int) -> dict[str, Any]:
    codes = [code.value for code, entry in TABLE.items() if entry.status == status]
    codes += [INTERNAL_ERROR] if status == 500 else []  # noqa: PLR2004 - the status of that code, which is in no table
    return {
        "description": f"Refused: {', '.join(codes)}",
        "headers": _headers(CORRELATION, "x-ms-error-code"),
        "content": {"application/json": {"schema": ref("Error")}},
    }


def _headers(*names: str) -> dict[str, Any]:
    return {name: {"schema": TEXT} for name in names}


def _refusal_name(status: int) -> str:
    return f"Refused{status}"


def _statuses(described: Iterable[Operation]) -> list[int]:
    return sorted({status for each in described for status in each.description.refuses})

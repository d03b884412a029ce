"""Triggers that answer bytes: a transcript, a boot log, a screenshot. All other answers of the API are JSON."""

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field

import azure.functions as func

from functions.http.pipeline import RequestContext, Result, answer
from functions.http.requests import query_of
from functions.http.responses import bounded
from functions.http.routes import Trigger
from shared.base.refusals import Refusal


@dataclass(frozen=True, slots=True)
class Contents:
    content: bytes
    media: str
    headers: dict[str, str] = field(default_factory=dict[str, str])
    status: int = 200


type Read = Callable[[RequestContext], Awaitable[Contents | Refusal]]


def handing_out(name: str, read: Read, fields: Collection[str] | None = None) -> Trigger:
    """Makes a trigger that runs `read` for an identified caller and answers its bytes.

    `name` is the operation in the audit event. `fields` are the allowed fields of the query; None if `read` checks the
    query itself. The trigger answers 500 for more than ANSWER_BYTES.
    """

    async def trigger(req: func.HttpRequest, starter: str) -> func.HttpResponse:
        contents: list[Contents] = []

        async def work(context: RequestContext) -> Result | Refusal:
            if fields is not None:
                query_of(context.req, *fields)
            outcome = await read(context)
            if isinstance(outcome, Refusal):
                return outcome
            bounded(outcome.content)
            contents.append(outcome)
            return Result(None, outcome.status, headers=outcome.headers)

        response = await answer(name, req, starter, work)
        return _with(response, contents[0]) if contents else response

    return trigger


def _with(response: func.HttpResponse, contents: Contents) -> func.HttpResponse:
    return func.HttpResponse(
        contents.content, status_code=response.status_code, headers=dict(response.headers), mimetype=contents.media
    )

"""Sessions: open, show, list, end."""

from typing import Any

import azure.durable_functions as df
import azure.functions as func

from functions.http import paging
from functions.http.operations import AT_THE_LINE, CHANGES, Description
from functions.http.paging import page_of
from functions.http.pipeline import RequestContext, Result
from functions.http.requests import body_of, session_of
from functions.http.responses import time_text
from functions.http.routes import at_console
from functions.http.schemas import page, ref
from shared.access.console_warnings import ConsoleWarning
from shared.base.refusals import Refusal
from shared.session.flows.close_session import close_session, list_sessions, show_session
from shared.session.flows.open_session import Opened, OpenSessionRequest, open_session
from shared.session.grant import Mode
from shared.session.lock import Holder, Takeover
from shared.session.ports import Session

bp = df.Blueprint(http_auth_level=func.AuthLevel.ANONYMOUS)


async def _open(context: RequestContext) -> Result | Refusal:
    vm = context.console()
    request = _parse_request(context.req)
    context.audit_fields["mode"] = request.mode.value
    opened = await open_session(context.dependencies, context.caller, vm, request)
    if isinstance(opened, Refusal):
        return opened
    context.audit_fields |= audit_fields_of(opened)
    location = f"/api{vm.resource_id}/serialConsole/sessions/{opened.session.id}"
    return Result(_opened(opened), 201, {"Location": location})


async def _show(context: RequestContext) -> Result | Refusal:
    session = await show_session(context.dependencies, context.caller, context.console(), session_of(context.req))
    return session if isinstance(session, Refusal) else Result(_session(session))


async def _list(context: RequestContext) -> Result | Refusal:
    live = await list_sessions(context.dependencies, context.caller, context.console())
    if isinstance(live, Refusal):
        return live
    return Result(page_of(live, _session, _since, context.query.get("cursor")))


def _since(session: Session) -> str:
    return f"{session.requested_at:017.6f} {session.id}"


async def _close(context: RequestContext) -> Result | Refusal:
    vm, session = context.console(), session_of(context.req)
    context.audit_fields["session"] = session
    ended = await close_session(context.dependencies, context.caller, vm, session)
    if isinstance(ended, Refusal):
        return ended
    context.audit_fields["of"] = ended.subject
    return Result(None, 204)


at_console(
    bp, "open_session", "POST", _open, "/sessions",
    description=Description(
        "Takes the console, or watches it", {201: ref("OpenedSession")}, AT_THE_LINE, response_headers=("Location",),
        body="SessionWish",
    ),
)  # fmt: skip
at_console(
    bp,
    "list_sessions",
    "GET",
    _list,
    "/sessions",
    description=Description("Live sessions of the VM", {200: page("Session")}, query=paging.QUERY),
)
at_console(
    bp,
    "show_session",
    "GET",
    _show,
    "/sessions/{session}",
    description=Description("One session", {200: ref("Session")}),
)
at_console(
    bp,
    "close_session",
    "DELETE",
    _close,
    "/sessions/{session}",
    description=Description("Ends a session", {204: None}, CHANGES),
)


def _parse_request(req: func.HttpRequest) -> OpenSessionRequest:
    fields = body_of(req)
    request = OpenSessionRequest(
        fields.choice("mode", Mode, Mode.WRITE),
        fields.choice("takeover", Takeover, Takeover.FORCE),
        fields.text_or_none("reason"),
    )
    fields.done()
    return request


def _opened(opened: Opened) -> dict[str, Any]:
    return {
        "id": opened.session.id,
        "generation": opened.session.generation,
        "mode": opened.session.mode.value,
        "token": opened.token,
        "expiresAt": time_text(opened.expires_at),
        "relay": opened.address,
        "displaced": person(opened.displaced),
        "warnings": [warning(each) for each in opened.warnings],
    }


def _session(session: Session) -> dict[str, Any]:
    return {
        "id": session.id,
        "state": session.state,
        "mode": session.mode.value,
        "generation": session.generation,
        "user": {"name": session.name},
        "requestedAt": time_text(session.requested_at),
        "endedAt": time_text(session.ended_at),
        "endedBy": session.ended_by,
    }


def audit_fields_of(opened: Opened) -> dict[str, str]:
    """Returns the fields that the audit event has for an opened session."""
    displaced = {"displaced": opened.displaced.subject} if opened.displaced else {}
    return {"session": opened.session.id, **displaced}


def person(holder: Holder | None) -> dict[str, Any] | None:
    return {"name": holder.name, "since": time_text(holder.since)} if holder else None


def warning(warn: ConsoleWarning) -> dict[str, Any]:
    return {"code": warn.code, "message": warn.message, "fix": warn.fix, "fixCommand": warn.fix_command}

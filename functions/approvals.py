"""Requests for approval: create, show, decide, list."""

from typing import Any

import azure.durable_functions as df
import azure.functions as func

from functions.http.operations import CHANGES, Description
from functions.http.pipeline import RequestContext, Result
from functions.http.requests import InvalidRequest, body_of, session_id
from functions.http.responses import time_text
from functions.http.routes import at, at_console, make_trigger
from functions.http.schemas import CONSOLE_RIGHTS, ref, whole
from shared.access.approval import Approval, State
from shared.access.flows.approve import ask_approval, decide_approval, list_approvals, show_approval
from shared.access.rights import Right
from shared.base.caller import Caller
from shared.base.refusals import Refusal

bp = df.Blueprint(http_auth_level=func.AuthLevel.ANONYMOUS)


async def _ask(context: RequestContext) -> Result | Refusal:
    vm, fields = context.console(), body_of(context.req)
    right, reason = fields.choice("for", Right, Right.WRITE), fields.text("reason")
    fields.done()
    if right not in CONSOLE_RIGHTS:
        raise InvalidRequest.because(f"for must be one of {', '.join(CONSOLE_RIGHTS)}")
    context.audit_fields["right"] = right.value
    approval = await ask_approval(context.dependencies, context.caller, vm, right, reason)
    if isinstance(approval, Refusal):
        return approval
    location = f"/api{vm.resource_id}/serialConsole/approvals/{approval.id}"
    return Result(_approval_json(approval, context.caller), 201, {"Location": location})


async def _show(context: RequestContext) -> Result | Refusal:
    approval = await show_approval(context.dependencies, context.caller, context.console(), _id(context))
    return approval if isinstance(approval, Refusal) else Result(_approval_json(approval, context.caller))


async def _decide(context: RequestContext) -> Result | Refusal:
    vm, fields = context.console(), body_of(context.req)
    allow, comment = fields.flag("allow"), fields.text_or_none("comment")
    fields.done()
    context.audit_fields |= {"approval": _id(context), "decision": "allow" if allow else "deny"}
    settled = await decide_approval(
        context.dependencies, context.caller, vm, _id(context), allow=allow, comment=comment
    )
    if isinstance(settled, Refusal):
        return settled
    context.audit_fields |= {"right": settled.right.value, "of": settled.subject}
    return Result(_approval_json(settled, context.caller))


async def _list(context: RequestContext) -> Result | Refusal:
    approvals = await list_approvals(context.dependencies, context.caller)
    return Result({"value": [_approval_json(each, context.caller) for each in approvals]})


at_console(
    bp, "ask_approval", "POST", _ask, "/approvals",
    description=Description(
        "Asks somebody else to approve", {201: ref("Approval")}, CHANGES, response_headers=("Location",),
        body="ApprovalWish",
    ),
)  # fmt: skip
at_console(
    bp, "show_approval", "GET", _show, "/approvals/{approval}",
    description=Description("One request, for who asked and who may decide", {200: ref("Approval")}),
)  # fmt: skip
at_console(
    bp, "decide_approval", "POST", _decide, "/approvals/{approval}/decision",
    description=Description(
        "Approves somebody else's request, or denies it", {200: ref("Approval")}, CHANGES, body="Decision"
    ),
)  # fmt: skip
at(
    bp, "list_all_approvals", "GET", "approvals", make_trigger("list_approvals", _list),
    description=Description("Requests that wait: one's own, and those that one may decide", {200: whole("Approval")}),
)  # fmt: skip


def _id(context: RequestContext) -> str:
    """Returns the approval's id from the address. Raises InvalidRequest."""
    return session_id(context.req.route_params["approval"], "the address")


def _approval_json(approval: Approval, caller: Caller) -> dict[str, Any]:
    granted = approval.state is State.APPROVED and approval.decided_at is not None
    return {
        "id": approval.id,
        "vm": approval.vm.resource_id,
        "vmName": approval.vm.title,
        "for": approval.right.value,
        "state": approval.state.value,
        "reason": approval.reason,
        "askedBy": {"name": approval.name},
        "askedAt": time_text(approval.asked_at),
        "waitsUntil": time_text(approval.waits_until),
        "goodUntil": time_text((approval.decided_at or 0) + approval.good_seconds) if granted else None,
        "decidedBy": {"name": approval.decider} if approval.decider else None,
        "decidedAt": time_text(approval.decided_at),
        "comment": approval.comment,
        "mine": approval.subject == caller.subject,
    }

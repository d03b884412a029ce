"""Calls that relays make: attach a session, renew sessions, detach a session, find the end of a console's record."""

import base64
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import azure.durable_functions as df
import azure.functions as func

from functions.http.pipeline import RequestContext, Result, answer_relay
from functions.http.requests import Fields, body_of
from functions.http.routes import starter
from shared import wiring
from shared.access.recording_settings import RecordingSettings
from shared.base.ports import Unavailable
from shared.base.refusals import Refusal
from shared.base.vm import VmId
from shared.session.flows.attach_session import attach_session
from shared.session.flows.close_session import Left, detach_session
from shared.session.flows.get_recording_settings import get_recording_settings
from shared.session.flows.live_session import NO_OTHERS, Live, Others, SessionEnding
from shared.session.flows.renew_sessions import renew_sessions
from shared.session.grant import Mode
from shared.transcript.flows.find_record_end import find_record_end

bp = df.Blueprint(http_auth_level=func.AuthLevel.ANONYMOUS)
HEARTBEAT_BYTES = 4 << 20
"""The longest heartbeat, in bytes. It has room for 2,000 sessions in full and 100,000 by id: a relay sends one
heartbeat for all of its sessions."""
ENDINGS = 1000
"""The most endings in one answer, at most 1.2 MB with the longest names. The next heartbeats deliver the rest."""
KEEP_BYTES = 1 << 20
"""The most bytes of recording settings in one answer, not counting its last console. The next heartbeats deliver the
rest (`keepTo`, `keepAfter`)."""
_CONSOLE = 512
"""The longest key of a console, in characters."""
CAPTURED = 2000
"""The most VMs to capture in one answer, the first by console key."""


@bp.route(route="relay/attach", methods=["POST"])
@starter(bp)
async def attach(req: func.HttpRequest, starter: str) -> func.HttpResponse:
    return await answer_relay("attach", req, starter, _attach)


@bp.route(route="relay/heartbeat", methods=["POST"])
@starter(bp)
async def heartbeat(req: func.HttpRequest, starter: str) -> func.HttpResponse:
    return await answer_relay("heartbeat", req, starter, _heartbeat)


@bp.route(route="relay/detach", methods=["POST"])
@starter(bp)
async def detach(req: func.HttpRequest, starter: str) -> func.HttpResponse:
    return await answer_relay("detach", req, starter, _detach)


@bp.route(route="relay/record-end", methods=["POST"])
@starter(bp)
async def record_end(req: func.HttpRequest, starter: str) -> func.HttpResponse:
    return await answer_relay("record-end", req, starter, _record_end)


async def _attach(context: RequestContext) -> Result | Refusal:
    fields = body_of(context.req)
    relay, grant = fields.text("relay"), fields.object("grant")
    fields.done()
    admission = await attach_session(context.dependencies, relay, grant)
    if isinstance(admission, Refusal):
        return admission
    limits = {"idleSeconds": admission.idle_seconds, "sessionSeconds": admission.session_seconds}
    return Result({"session": admission.session, **limits, "keep": admission.keeping.to_json()})


async def _heartbeat(context: RequestContext) -> Result | Refusal:
    fields = body_of(context.req, HEARTBEAT_BYTES)
    relay = fields.text("relay")
    live = [_only_live(each) for each in fields.objects("sessions")]
    others = _others(fields.object("others")) if fields.has("others") else NO_OTHERS
    keep_after = fields.text_or_none("keepAfter", most=_CONSOLE) or ""
    fields.done()
    ended = await renew_sessions(context.dependencies, relay, live, others)
    endings = [_ending(each) for each in ended[:ENDINGS]]
    rechecks = context.dependencies.rechecked
    again = {each.session: math.ceil(rechecks[each.session]) for each in live if each.session in rechecks}
    return Result({"end": endings, "again": again, **await _find_recording_settings(context, relay, live, keep_after)})


def _others(value: Any) -> Others:
    """Reads the ids of sessions that are sent by id alone. Raises InvalidRequest."""
    fields = Fields(value, "others")
    ids = {mode: frozenset((fields.text_or_none(mode.value, most=HEARTBEAT_BYTES) or "").split()) for mode in Mode}
    fields.done()
    return Others(ids[Mode.WRITE], ids[Mode.WATCH])


async def _find_recording_settings(
    context: RequestContext, relay: str, live: Sequence[Live], keep_after: str
) -> dict[str, Any]:
    """Returns the recording settings for a heartbeat's answer.

    All of them are null while they are unavailable. The relay then keeps its last ones: sessions must not end for this.
    """
    try:
        settings = await get_recording_settings(context.dependencies, relay, [each.vm for each in live])
    except Unavailable:
        return {"keep": None, "keepTo": None, "capture": None}
    capture = sorted((vm for vm in settings.capture), key=lambda vm: vm.console)[:CAPTURED]
    return {**_page_of_settings(settings.keep, keep_after), "capture": [vm.resource_id for vm in capture]}


def _page_of_settings(settings: Mapping[VmId, RecordingSettings], after: str) -> dict[str, Any]:
    """Returns the settings behind `after` that fit, in the order of consoles.

    `keepTo` names the last console if more follow, and is null otherwise.
    """
    page, left = list[dict[str, Any]](), KEEP_BYTES
    for vm in sorted((vm for vm in settings if vm.console > after), key=lambda vm: vm.console):
        if left <= 0:
            return {"keep": page, "keepTo": VmId.parse(page[-1]["vm"]).console}
        page.append({"vm": vm.resource_id, **settings[vm].to_json()})
        left -= len(json.dumps(page[-1]))
    return {"keep": page, "keepTo": None}


async def _detach(context: RequestContext) -> Result | Refusal:
    fields = body_of(context.req)
    fields.text("relay")
    left = Left(_live(fields), fields.text("why"), fields.number("typed"), fields.number("printed"))
    fields.done()
    context.vm = left.live.vm
    await detach_session(context.dependencies, left)
    return Result(None, 204)


async def _record_end(context: RequestContext) -> Result | Refusal:
    fields = body_of(context.req)
    fields.text("relay")
    context.vm = fields.vm("vm")
    fields.done()
    end = await find_record_end(context.vm.console, wiring.archive().transcripts)
    return Result({"epoch": end.epoch, "printed": base64.b64encode(end.printed).decode(), "cut": end.cut})


def _only_live(fields: Fields) -> Live:
    live = _live(fields)
    live = replace(live, again=float(fields.number_or("again", 0)))
    fields.done()
    return live


def _live(fields: Fields) -> Live:
    return Live(fields.vm("vm"), fields.session("session"), fields.number("generation"), fields.choice("mode", Mode))


def _ending(ending: SessionEnding) -> dict[str, Any]:
    return {"session": ending.session, "code": ending.code.value, "by": ending.by}

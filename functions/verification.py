"""Verifies that a transcript is complete, and lists what was signed about it."""

import re
from typing import Any

import azure.durable_functions as df
import azure.functions as func

from functions.http import paging
from functions.http.archive_progress import as_json, progress_of
from functions.http.operations import Description
from functions.http.paging import PAGE_BYTES
from functions.http.pipeline import RequestContext, Result
from functions.http.requests import InvalidRequest, time_of
from functions.http.responses import time_text
from functions.http.routes import at_console
from functions.http.schemas import TEXT, ref
from shared import wiring
from shared.base import time_limit
from shared.base.refusals import Refusal
from shared.transcript.flows.read_transcript import permitted
from shared.transcript.flows.verify_part import Budget, Part
from shared.transcript.flows.verify_transcript import segment_at, verify_part
from shared.transcript.ports import StatementPlace
from shared.transcript.signed_verification import InvalidPartCursor, PartCursor
from shared.transcript.verification import Finding

bp = df.Blueprint(http_auth_level=func.AuthLevel.ANONYMOUS)
_US = 1_000_000
_LEAST_SECONDS = 4.0
"""Seconds of the request's time that a part leaves for its own end."""
_MOST_FINDINGS = 1000
"""The most findings of one part. `omitted` counts the others."""


async def _verify(context: RequestContext) -> Result | Refusal:
    vm, query = context.console(), context.query
    begin, end = time_of(query, "from"), time_of(query, "to")
    cursor = _cursor(query.get("segment"))
    if cursor is not None and begin is not None:
        raise InvalidRequest.because("write segment or from, not both: segment goes on where an answer ended")
    if refusal := await permitted(context.dependencies, context.caller, vm):
        return refusal
    archive = wiring.archive()
    if cursor is None:
        cursor = PartCursor(0 if begin is None else await segment_at(archive, vm.console, int(begin * _US)))
    last_us = None if end is None else int(end * _US)
    part = await verify_part(archive, vm.console, cursor, last_us, Budget(late=_late))
    to_the_end = part.next is None and last_us is None
    progress = as_json(await progress_of(context, vm)) if to_the_end else None
    return Result(_verified(part) | {"archive": progress})


async def _checkpoints(context: RequestContext) -> Result | Refusal:
    vm = context.console()
    if refusal := await permitted(context.dependencies, context.caller, vm):
        return refusal
    statements = wiring.archive().ledger
    lines, more = await statements.page(vm.console, _statement_place(context.query.get("cursor")), PAGE_BYTES)
    next_cursor = f"{more.month}.{more.start}" if more else None
    return Result({"value": list(lines), "next": next_cursor, **await statements.public_keys()})


def _statement_place(text: str | None) -> StatementPlace:
    """Reads the cursor `YYYY-MM.START` of a list of statements. Raises InvalidRequest."""
    if text is None:
        return StatementPlace()
    if not (match := _PLACE.fullmatch(text)):
        raise InvalidRequest.because("cursor must be what the answer before said as next")
    return StatementPlace(match[1], int(match[2]))


_PLACE = re.compile(r"([0-9]{4}-[0-9]{2})\.([0-9]{1,12})")


at_console(
    bp, "verify_transcript", "GET", _verify, "/transcript/verification",
    description=Description(
        "Whether the transcript is complete and as it was written, in parts",
        {200: ref("Verification")},
        query={
            "from": ("Begins with the segment of this time", TEXT),
            "to": ("Ends with the segment of this time", TEXT),
            "segment": ("What the part before said as next", TEXT),
        },
    ),
)  # fmt: skip
at_console(
    bp, "list_checkpoints", "GET", _checkpoints, "/checkpoints",
    description=Description(
        "What was signed about the transcript, and the keys that prove it", {200: ref("Checkpoints")},
        query=paging.QUERY,
    ),
)  # fmt: skip


def _cursor(text: str | None) -> PartCursor | None:
    """Reads the cursor of a verification; None if it is absent. Raises InvalidRequest."""
    try:
        return None if text is None else PartCursor.parse(text)
    except InvalidPartCursor as error:
        raise InvalidRequest.because("segment must be what the answer before said as next") from error


def _late() -> bool:
    return time_limit.left() < _LEAST_SECONDS


def _verified(part: Part) -> dict[str, Any]:
    report = part.report
    signed = report.signed
    return {
        "complete": report.complete,
        "segments": report.segments,
        "first": report.first,
        "end": report.end,
        "hash": report.hash.hex(),
        "signed": {"time": time_text(signed.at), "offset": signed.offset} if signed else None,
        "findings": [_finding(each) for each in report.findings[:_MOST_FINDINGS]],
        "omitted": max(0, len(report.findings) - _MOST_FINDINGS),
        "next": None if part.next is None else str(part.next),
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "fault": finding.fault.value,
        "segment": finding.segment,
        "line": finding.line,
        "offset": finding.offset,
        "words": finding.words,
        "who": finding.fault.who,
    }

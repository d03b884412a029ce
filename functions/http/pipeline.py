"""The one way from a request to an answer: identify the caller, do the work, map the outcome, write one audit event.

A trigger passes its work as a function of `RequestContext` that returns a Result or a Refusal.
"""

import json
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any

import azure.functions as func

from functions.http import requests, responses
from functions.http.client_address import address_of
from functions.http.cross_origin import PREFLIGHT, allow, is_preflight, listed
from functions.http.requests import InvalidRequest, correlation_id
from shared import wiring
from shared.access.azure_roles import may_relay, may_use_consoles
from shared.access.flows.tell_unavailable import tell_unavailable
from shared.base import time_limit
from shared.base.caller import Caller
from shared.base.correlation import current
from shared.base.ports import Unavailable
from shared.base.refusals import Code, Refusal, foreign_origin, refuse
from shared.base.settings import InvalidSetting
from shared.base.time_limit import TimeLimit
from shared.base.vm import VmId
from shared.session.dependencies import Dependencies
from shared.session.settings import SessionSettings

_audit = logging.getLogger("serial_console.audit")
_log = logging.getLogger(__name__)


@dataclass(slots=True)
class RequestContext:
    """One request of an identified caller. `vm` is set as soon as it is known, for the audit event."""

    req: func.HttpRequest
    dependencies: Dependencies
    caller: Caller
    correlation: str
    vm: VmId | None = None
    audit_fields: dict[str, str] = field(default_factory=dict)
    """Further fields of the audit event, such as the right, the command or who was displaced. Never a secret."""

    @property
    def query(self) -> dict[str, str]:
        return requests.fields_of(self.req)

    def console(self) -> VmId:
        """Returns the VM of the address and sets `vm`. Raises InvalidRequest."""
        self.vm = requests.vm_of(self.req)
        return self.vm


@dataclass(frozen=True, slots=True)
class Result:
    value: Any
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


type Work = Callable[[RequestContext], Awaitable[Result | Refusal]]
type Admits = Callable[[Caller], bool]


async def answer(
    operation: str, req: func.HttpRequest, starter: str, work: Work, admits: Admits = may_use_consoles
) -> func.HttpResponse:
    """Identifies the caller, does the work and writes the audit event. An unexpected exception is answered with 500.

    `operation` is the name in the audit event. `admits` returns whether a caller may use this operation at all.
    """
    began, correlation = time.perf_counter(), correlation_id(req)
    current.set(correlation)
    time_limit.current.set(TimeLimit())
    event = _Event(operation, correlation)
    try:
        outcome = await _outcome(req, starter, event, work, admits)
        response = _response(outcome, starter, correlation)
    except Exception:  # noqa: BLE001 - the client gets an envelope whatever broke; the text stays in our log
        _log.exception("%s failed, correlation id %s", operation, correlation)
        outcome, response = None, responses.broken(correlation)
    event.write(outcome, response.status_code, time.perf_counter() - began)
    return _for_pages(req, starter, response)


async def answer_anybody(
    operation: str, req: func.HttpRequest, starter: str, work: Callable[[Dependencies], Awaitable[Result]]
) -> func.HttpResponse:
    """Answers a public operation, which has no caller. An unexpected exception is answered with 500."""
    began, event = time.perf_counter(), _Event(operation, correlation_id(req))
    current.set(event.correlation)
    time_limit.current.set(TimeLimit())
    result: Result | None = None
    try:
        dependencies = wiring.dependencies(starter)
        event.address = _address(req, dependencies.settings)
        result = await work(dependencies)
        response = responses.result(result.value, event.correlation, status=result.status, headers=result.headers)
    except Exception:  # noqa: BLE001 - as above
        _log.exception("%s failed, correlation id %s", operation, event.correlation)
        response = responses.broken(event.correlation)
    event.write(result, response.status_code, time.perf_counter() - began)
    return _for_pages(req, starter, response)


async def answer_stray(operation: str, req: func.HttpRequest, starter: str) -> func.HttpResponse:
    """Answers a CORS preflight with 204 or a refusal, and any other request with NotFound."""
    began, event = time.perf_counter(), _Event(operation, correlation_id(req))
    current.set(event.correlation)
    refusal = _stray(req, starter, event)
    if refusal is None:
        response = responses.result(None, event.correlation, status=204, headers=PREFLIGHT)
    else:
        response = responses.refused(refusal, event.correlation)
    event.write(refusal or Result(None), response.status_code, time.perf_counter() - began)
    return _for_pages(req, starter, response)


def _stray(req: func.HttpRequest, starter: str, event: "_Event") -> Refusal | None:
    """Returns the refusal, or None for a preflight from a configured origin."""
    settings = settings_of(starter)
    event.address = _address(req, settings) if settings else None
    if not is_preflight(req):
        return refuse(Code.NOT_FOUND)
    return (
        None
        if settings and listed(req, settings.origins)
        else foreign_origin("Pages of this origin may not call the API.")
    )


def settings_of(starter: str) -> SessionSettings | None:
    """Returns the settings, or None if they are invalid; the operation's own work then reports it."""
    try:
        return wiring.dependencies(starter).settings
    except InvalidSetting:
        return None


def _address(req: func.HttpRequest, settings: SessionSettings) -> str | None:
    return address_of(req.headers.get("x-forwarded-for"), settings.trusted_proxies)


def _for_pages(req: func.HttpRequest, starter: str, response: func.HttpResponse) -> func.HttpResponse:
    settings = settings_of(starter)
    return allow(req, response, settings.origins) if settings else response


async def answer_relay(operation: str, req: func.HttpRequest, starter: str, work: Work) -> func.HttpResponse:
    """Answers an operation that only relays may use: applications with the relay's role."""
    return await answer(operation, req, starter, work, may_relay)


@dataclass(slots=True)
class _Event:
    """The audit event of one request. It never holds a token, a body or a query."""

    operation: str
    correlation: str
    address: str | None = None
    context: RequestContext | None = None

    def write(self, outcome: Result | Refusal | None, status: int, seconds: float) -> None:
        fields = {
            "operation": self.operation,
            "caller": self.context.caller.subject if self.context else None,
            "kind": self.context.caller.kind.value if self.context else None,
            "address": self.address,
            "vm": self.context.vm.resource_id if self.context and self.context.vm else None,
            "outcome": _word(outcome),
            "status": status,
            **(self.context.audit_fields if self.context else {}),
            "milliseconds": round(seconds * 1000, 1),
            "correlationId": self.correlation,
        }
        _audit.info(json.dumps(fields, ensure_ascii=False))


def _word(outcome: Result | Refusal | None) -> str:
    if outcome is None:
        return responses.INTERNAL_ERROR
    return outcome.code.value if isinstance(outcome, Refusal) else "OK"


async def _outcome(req: func.HttpRequest, starter: str, event: _Event, work: Work, admits: Admits) -> Result | Refusal:
    dependencies = wiring.dependencies(starter)
    event.address = _address(req, dependencies.settings)
    try:
        caller = await dependencies.callers.identify(req.headers.get("authorization"))
        if isinstance(caller, Refusal):
            return caller
        caller = replace(caller, address=event.address)
        event.context = RequestContext(req, dependencies, caller, event.correlation)
        outcome = await work(event.context) if admits(caller) else refuse(Code.CALLER_NOT_PERMITTED)
        return _with_target(event, outcome) if isinstance(outcome, Refusal) else outcome
    except InvalidRequest as error:
        return _with_target(event, error.refusal)
    except Unavailable as error:
        _log.warning("correlation id %s: %s", event.correlation, error)
        return _with_target(event, tell_unavailable(error))


def _with_target(event: _Event, refusal: Refusal) -> Refusal:
    """Returns the refusal with the VM of the address as its target, if it has no target yet."""
    vm = event.context.vm if event.context else None
    return replace(refusal, target=vm.resource_id) if vm and refusal.target is None else refusal


def _response(outcome: Result | Refusal, starter: str, correlation: str) -> func.HttpResponse:
    if isinstance(outcome, Result):
        return responses.result(outcome.value, correlation, status=outcome.status, headers=outcome.headers)
    settings = wiring.dependencies(starter).settings
    return responses.refused(outcome, correlation, responses.challenge(settings.authority, settings.api_client))

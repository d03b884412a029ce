"""The relay's private side: commands of the function app, health, metrics. A small HTTP server of its own."""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Any

from aiohttp import web

from relay.handshake.http_head import envelope
from relay.server import RelayServer
from shared.access.commands import Command
from shared.base import correlation
from shared.base.ports import Unavailable
from shared.base.refusals import Code, Refusal, refuse
from shared.base.vm import InvalidVmId, VmId

MAX_BODY = 16 * 1024
MAX_ASK_SECONDS = 120.0
BODY_SECONDS = 5.0
"""How long a body may take to arrive."""

_KEYS = re.compile(r"[A-Za-z0-9]{1,16}")
"""The keys of a SysRq command, one after the other."""

type ControlCommand = Callable[["ControlFields"], Awaitable[web.Response]]


class InvalidBody(ValueError):
    """The text names the field that is missing or wrong."""


class ControlFields:
    """Reads a command's body field by field. Every reader raises InvalidBody."""

    def __init__(self, body: bytes) -> None:
        try:
            self._fields = json.loads(body)
        except ValueError as error:
            raise InvalidBody("the body is not JSON") from error
        if not isinstance(self._fields, dict):
            raise InvalidBody("the body is not a JSON object")

    def vm(self) -> VmId:
        try:
            return VmId.parse(self.text("vm"))
        except InvalidVmId as error:
            raise InvalidBody(f"vm: {error}") from error

    def text(self, name: str) -> str:
        return self._one(name, str)

    def optional_text(self, name: str) -> str | None:
        return None if self._fields.get(name) is None else self._one(name, str)

    def whole(self, name: str) -> int:
        return self._one(name, int)

    def seconds(self, name: str) -> float:
        value = self._fields.get(name)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= MAX_ASK_SECONDS:
            raise InvalidBody(f"{name} must be a number of seconds, at most {MAX_ASK_SECONDS:.0f}")
        return float(value)

    def code(self, name: str) -> Code:
        try:
            return Code(self.text(name))
        except ValueError as error:
            raise InvalidBody(f"{name} is not a code of docs/errors.md") from error

    def act(self, name: str) -> Command:
        try:
            return Command(self.text(name))
        except ValueError as error:
            raise InvalidBody(f"{name} is not an act") from error

    def command(self) -> tuple[Command, str]:
        """Returns a command that goes down the line, and its keys."""
        act, keys = self.act("command"), self.text("keys")
        if not act.down_the_line:
            raise InvalidBody("command must be reset, nmi or sysrq")
        if not (_KEYS.fullmatch(keys) if act is Command.SYSRQ else not keys):
            raise InvalidBody("keys must be 1 to 16 letters and digits for sysrq, and empty for the others")
        return act, keys

    def _one[T: (str, int)](self, name: str, kind: type[T]) -> T:
        value = self._fields.get(name)
        if not isinstance(value, kind) or isinstance(value, bool):
            raise InvalidBody(f"{name} must be {'text' if kind is str else 'a whole number'}")
        return value


class ControlServer:
    def __init__(self, relay: RelayServer) -> None:
        self._relay = relay
        self._dependencies = relay.dependencies

    def application(self, *, observed: bool = True) -> web.Application:
        """Makes the server. `observed` adds health and metrics, which are for the platform alone."""
        app = web.Application(client_max_size=MAX_BODY)
        commands = {
            "fence": self._fence, "end": self._end, "ask": self._ask_takeover, "command": self._send_command,
            "note": self._note_command, "recorded": self._recorded,
        }  # fmt: skip
        for name, command in commands.items():
            app.router.add_post(f"/control/{name}", self._command(name, command))
        if observed:
            app.router.add_get("/healthz", self._health)
            app.router.add_get("/metrics", self._metrics)
        return app

    def _command(self, name: str, command: ControlCommand) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def handle(request: web.Request) -> web.Response:
            correlation_id = correlation.given(request.headers.get(correlation.HEADER)) or self._relay.new_request()
            correlation.current.set(correlation_id)
            answer = await self._answer(request, command)
            answer.headers[correlation.HEADER] = correlation_id
            self._dependencies.log("control", call=name, status=answer.status, correlation=correlation_id)
            return answer

        return handle

    async def _answer(self, request: web.Request, command: ControlCommand) -> web.Response:
        try:
            body = await _body(request)
            if not await self._dependencies.keys.commanded(request.headers.get("Authorization"), body):
                return _refused(refuse(Code.CALLER_NOT_AUTHENTICATED))
            return await command(ControlFields(body))
        except InvalidBody as error:
            return _refused(refuse(Code.INVALID_REQUEST, because=str(error)))
        except Unavailable:
            return _refused(refuse(Code.AZURE_UNAVAILABLE))

    async def _fence(self, fields: ControlFields) -> web.Response:
        self._relay.fence(fields.vm(), fields.whole("generation"), fields.text("by"))
        return web.Response(status=204)

    async def _end(self, fields: ControlFields) -> web.Response:
        self._relay.end(fields.vm(), fields.text("session"), fields.code("code"), fields.optional_text("by"))
        return web.Response(status=204)

    async def _ask_takeover(self, fields: ControlFields) -> web.Response:
        allow = await self._relay.ask(
            fields.vm(), fields.whole("generation"), fields.text("by"), fields.seconds("seconds")
        )
        return web.json_response({"allow": allow})

    async def _send_command(self, fields: ControlFields) -> web.Response:
        act, keys = fields.command()
        refusal = await self._relay.command(fields.vm(), act, keys, fields.text("by"))
        return web.Response(status=204) if refusal is None else _refused(refusal)

    async def _note_command(self, fields: ControlFields) -> web.Response:
        self._relay.note(fields.vm(), fields.act("act"), fields.text("by"))
        return web.Response(status=204)

    async def _recorded(self, fields: ControlFields) -> web.Response:
        last = self._dependencies.epochs.recorded_last(fields.vm().console)
        return web.json_response({} if last is None else asdict(last))

    async def _health(self, _request: web.Request) -> web.Response:
        spool = self._dependencies.epochs.health()
        healthy = spool["writable"] and not self._relay.draining
        heartbeat = self._relay.heartbeat
        age = (
            None if heartbeat.answered_at is None else round(self._dependencies.clock.now() - heartbeat.answered_at, 1)
        )
        report = {
            "status": "healthy" if healthy else "draining" if self._relay.draining else "degraded",
            "relay": self._dependencies.name,
            "sessions": len(self._relay.grants),
            "consoles": len(self._relay.runners),
            **{name: value for name, value in spool.items() if name != "writable"},
            "spoolWritable": spool["writable"],
            "controlPlane": {"secondsSinceAnswer": age, "failures": heartbeat.failures},
        }
        return web.json_response(report, status=200 if healthy else 503)

    async def _metrics(self, _request: web.Request) -> web.Response:
        return web.Response(text="\n".join(self._metric_lines()) + "\n", content_type="text/plain")

    def _metric_lines(self) -> list[str]:
        relay, spool = self._relay, self._dependencies.epochs.health()
        runners = relay.runners.values()
        ports = [runner.connection for runner in runners]
        lines = [
            *_metric("sessions", "gauge", "sessions attached", len(relay.grants)),
            *_metric("consoles", "gauge", "consoles whose port is open or lingers", len(runners)),
            *_metric("captured", "gauge", "consoles recorded without need of a viewer", len(relay.captured)),
            *_metric("unproven", "gauge", "accepted sockets whose token is not proved yet", relay.acceptor.quota.taken),
            *_metric("printed_bytes", "gauge", "printed by open consoles", sum(each.printed_bytes for each in ports)),
            *_metric("typed_bytes", "gauge", "typed into open consoles", sum(each.typed_bytes for each in ports)),
            *_metric("spooled_bytes", "gauge", "recorded and not yet in the hub", spool.get("spooledBytes", 0)),
            *_metric("spooled_records", "gauge", "the same, in records", spool.get("spooledRecords", 0)),
            *_metric("spool_oldest_seconds", "gauge", "age of the oldest of them", spool.get("oldestSeconds") or 0),
            *_metric("spool_writable", "gauge", "1 when records can be written", int(spool["writable"])),
            *_metric("heartbeat_failures", "gauge", "heartbeats in a row without answer", relay.heartbeat.failures),
        ]
        lines += ["# HELP serial_console_refused_total visitors refused", "# TYPE serial_console_refused_total counter"]
        lines += [
            f'serial_console_refused_total{{code="{code}"}} {count}' for code, count in relay.acceptor.refused.items()
        ]
        return lines


async def _body(request: web.Request) -> bytes:
    """Reads the body within BODY_SECONDS. Raises InvalidBody."""
    try:
        async with asyncio.timeout(BODY_SECONDS):
            return await request.read()
    except TimeoutError as error:
        raise InvalidBody(f"the body did not come within {BODY_SECONDS:.0f} s") from error


def _metric(name: str, kind: str, meaning: str, value: Any) -> tuple[str, str, str]:
    full = f"serial_console_{name}"
    return f"# HELP {full} {meaning}", f"# TYPE {full} {kind}", f"{full} {value}"


def _refused(refusal: Refusal) -> web.Response:
    body = envelope(refusal, correlation.current.get())
    return web.json_response(body, status=refusal.status, headers={"x-ms-error-code": refusal.code.value})

"""The steps, in order. Each returns its result in words, or raises Failed with what does not work."""

import time
from typing import Any

from smoke.context import Context
from smoke.outcome import Failed, Step, TimedOut
from smoke.service import Socket, expect, json_of
from smoke.sign_in import access_token

SESSION_ENDED = (4008, "SessionEnded")
_METHODS = frozenset({"get", "post", "put", "delete"})
_UUID, _NAME = "00000000-0000-4000-8000-000000000000", "smoke-test-0000000000000"
"""Values for the parameters of addresses."""
_LOOK_SECONDS = 0.5
_ARCHIVE_SECONDS = 150.0
"""The least time to wait for the archive: after a broken connection the host's listener may pause for a minute."""
_QUIET_SECONDS = 2.0
"""After a pause of this length, the next output counts as the answer to Enter."""


def check_dependencies(context: Context) -> str:
    """Checks that every dependency of the service is healthy."""
    context.config = context.api.get_json("/config")
    health = json_of(context.api.ask("GET", "/health"))
    sick = [f"{each['name']}: {each['detail']}" for each in health["dependencies"] if each["status"] != "healthy"]
    if sick:
        raise Failed(f"{health['status']}: {'; '.join(sick)}")
    return f"{len(health['dependencies'])} dependencies are healthy"


def check_keys(context: Context) -> str:
    """Checks that the service publishes public keys for session tokens, and no private one."""
    keys = context.api.get_json("/keys")["keys"]
    if not keys or any((each["kty"], each["crv"]) != ("EC", "P-256") for each in keys) or any("d" in k for k in keys):
        raise Failed("the service publishes no EC P-256 public key")
    return f"{len(keys)} public key{'s' if len(keys) > 1 else ''}"


def check_routes(context: Context) -> str:
    """Checks that each described operation is answered by its own function.

    The requests carry no token, so that they change nothing.
    """
    paths = context.api.get_json("/openapi.json")["paths"]
    wrong, count = [], 0
    for path, item in paths.items():
        address = _filled(path, item.get("parameters", []))
        for method in item.keys() & _METHODS:
            count += 1
            body: dict[str, Any] = {"json": {}} if "requestBody" in item[method] else {}
            answer = context.api.ask(method.upper(), address, signed=False, **body)
            if answer.headers.get("x-console-operation") != item[method]["operationId"]:
                wrong.append(f"{method.upper()} {path}: {answer.headers.get('x-console-operation', 'nobody')}")
    if wrong:
        raise Failed(f"{len(wrong)} of {count} operations are answered by another, or by nobody: {'; '.join(wrong)}")
    return f"{count} operations are answered by their own functions"


def _filled(path: str, parameters: list[dict[str, Any]]) -> str:
    """Returns the address with a valid value for each parameter."""
    for each in parameters:
        schema = each["schema"]
        fits = _UUID if schema.get("format") == "uuid" else schema.get("enum", [_NAME])[0]
        path = path.replace(f"{{{each['name']}}}", fits)
    return path


def sign_in(context: Context) -> str:
    """Gets an access token for the API."""
    context.api.token, how = access_token(context.config, context.options.ca)
    return how


def refuse_anonymous(context: Context) -> str:
    """Checks that a request without a token is refused with 401."""
    answer = context.api.ask("GET", context.console, signed=False)
    expect(answer, 401)
    return "who does not sign in is refused"


def check_preflight(context: Context) -> str:
    """Checks that every check of the VM passes."""
    shown = context.api.get_json(context.console)
    wrong = [each for each in shown["checks"] if not each["passed"]]
    if wrong:
        raise Failed("; ".join(f"{each['code']}: {each['message']} {each['fix'] or ''}".strip() for each in wrong))
    warnings = [each["code"] for each in shown["warnings"]]
    return f"{len(shown['checks'])} checks passed{_also(warnings)}"


def open_session(context: Context) -> str:
    """Opens a session as a writer."""
    opened = context.open()
    displaced = opened["displaced"]
    return f"generation {opened['generation']}" + (f", displaced {displaced['name']}" if displaced else "")


def connect(context: Context) -> str:
    """Connects to the relay with the session token."""
    socket = context.connect()
    context.epoch, context.start = socket.epoch, socket.start
    return f"writing, {int(socket.hello['live']) - socket.start:,} bytes from before"


def type_enter(context: Context) -> str:
    """Types Enter, and checks that the VM's output comes back."""
    return f"the VM answered Enter with {_answer(_socket(context))} bytes or more"


def replay_token(context: Context) -> str:
    """Checks that a session token cannot be used twice."""
    try:
        again = Socket(str((context.session or {})["relay"]), context.token, context.api.trust, context.api.timeout)
    except Failed as refused:
        if "TokenReplayed" in str(refused) or "TokenExpired" in str(refused):
            return "the token cannot be used again"
        raise
    again.leave()
    raise Failed("the session token was accepted a second time")


def revoke_session(context: Context) -> str:
    """Ends the session by the API, and checks that the relay closes it."""
    socket = _socket(context)
    context.end()
    ended = socket.end()
    context.shown = bytes(socket.shown)
    if ended != SESSION_ENDED:
        raise Failed(f"the relay closed with {ended[0]} {ended[1]}, where {SESSION_ENDED[0]} was due")
    return f"closed with {ended[0]} {ended[1]}"


def resume_session(context: Context) -> str:
    """Opens a new session, and checks that it resumes at the byte where the last one ended."""
    context.open()
    last = context.start + len(context.shown)
    socket = context.connect(f"?epoch={context.epoch}&offset={last}")
    if socket.epoch != context.epoch or socket.start != last or socket.hello["gap"]:
        raise Failed(f"byte {last} of {context.epoch} was due, and {socket.start} of {socket.epoch} came")
    _answer(socket)
    context.shown += bytes(socket.shown)
    return f"at byte {last}, nothing missing and nothing twice"


def close_session(context: Context) -> str:
    """Leaves the console, and checks that nobody holds it afterwards."""
    _socket(context).leave()
    context.end()
    deadline = time.monotonic() + context.api.timeout
    while (problem := _console_problem(context)) and time.monotonic() < deadline:
        time.sleep(_LOOK_SECONDS)
    if problem:
        raise Failed(problem)
    return "the console is free"


def _console_problem(context: Context) -> str:
    """Returns who still holds the console, or why that is not known; empty if nobody does."""
    status = context.api.get_json(context.console)
    if status["console"] is None:
        return f"who holds the console is not known: {status['consoleUnasked']['message']}"
    writer = status["console"]["writer"]
    return f"{writer['name']} still holds the console" if writer else ""


def check_transcript(context: Context) -> str:
    """Checks that every shown byte is in the archive, or an asterisk where policies mask it."""
    patience = max(context.api.timeout, _ARCHIVE_SECONDS)
    deadline = time.monotonic() + patience
    archived = b""
    while len(archived) < len(context.shown) and time.monotonic() < deadline:
        archived = _read_archived(context)
    if len(archived) < len(context.shown):
        raise Failed(f"{len(context.shown)} bytes were shown, and after {patience:.0f} s {len(archived)} are archived")
    masked = sum(stored != other for stored, other in zip(archived, context.shown, strict=False))
    if any(stored not in (other, ord("*")) for stored, other in zip(archived, context.shown, strict=False)):
        raise Failed("what is archived is not what was shown")
    return f"{len(context.shown):,} bytes, as they were shown" + (f", {masked} masked" if masked else "")


def verify_transcript(context: Context) -> str:
    """Checks that the service verifies the transcript from the segment in which this run began."""
    begins = _recording(context)["began"]
    query: dict[str, Any] = {"from": begins}
    while True:
        report = context.api.get_json(f"{context.console}/transcript/verification", **query)
        if not report["complete"]:
            raise Failed("; ".join(each["words"] for each in report["findings"]))
        if report["next"] is None:
            break
        query = {"segment": report["next"]}
    return f"complete up to byte {report['end']:,}"


STEPS = (
    Step("service", check_dependencies),
    Step("routes", check_routes, ("service",)),
    Step("keys", check_keys, ("service",)),
    Step("sign-in", sign_in, ("service",)),
    Step("stranger", refuse_anonymous, ("service",)),
    Step("preflight", check_preflight, ("sign-in",)),
    Step("open", open_session, ("preflight",)),
    Step("connect", connect, ("open",)),
    Step("type", type_enter, ("connect",)),
    Step("replay", replay_token, ("connect",)),
    Step("revoke", revoke_session, ("connect",)),
    Step("resume", resume_session, ("revoke",)),
    Step("close", close_session, ("resume",)),
    Step("transcript", check_transcript, ("revoke",)),
    Step("verify", verify_transcript, ("transcript",)),
)


def _answer(socket: Socket) -> int:
    """Waits for a pause, types Enter, and returns the number of bytes that came. Raises Failed."""
    socket.quiet(_QUIET_SECONDS)
    before = socket.next
    socket.type(b"\r")
    try:
        socket.printed_after(before)
    except TimedOut as failure:
        raise Failed(f"{failure} after Enter was typed. Does the guest listen on its serial port?") from None
    return socket.next - before


def _socket(context: Context) -> Socket:
    assert context.socket, "a step that needs a socket says so"  # noqa: S101 - the table of steps above holds it
    return context.socket


def _recording(context: Context) -> dict[str, Any]:
    """Returns this run's entry in the list of recordings; empty until it is listed."""
    recordings = context.api.get_list(f"{context.console}/recordings")
    return next((each for each in recordings if each["id"] == context.epoch), {})


def _read_archived(context: Context) -> bytes:
    """Returns the shown bytes that the archive has so far."""
    recording = _recording(context)
    if not recording:
        time.sleep(_LOOK_SECONDS)
        return b""
    first, length = recording["start"] + context.start, max(1, len(context.shown))
    archived = bytearray()
    while len(archived) < length:
        answer = context.api.get(
            f"{context.console}/transcript", format="raw", offset=first + len(archived),
            limit=min(length - len(archived), 1 << 20), wait=1,
        )  # fmt: skip
        if not answer.content:
            break
        archived += answer.content
    return bytes(archived)


def _also(warnings: list[str]) -> str:
    return f"; warnings: {', '.join(warnings)}" if warnings else ""

"""What is tried, in order. Each step says what it found, or raises Failed with what does not work."""

import time
from typing import Any

from smoke.outcome import Failed, Step, Waited
from smoke.service import Socket, expect, json_of
from smoke.sign_in import access_token
from smoke.visit import Visit

SESSION_ENDED = (4008, "SessionEnded")
_METHODS = frozenset({"get", "post", "put", "delete"})
_UUID, _NAME = "00000000-0000-4000-8000-000000000000", "smoke-test-0000000000000"
"""What fits a blank of an address."""
_LOOK_SECONDS = 0.5
_ARCHIVE_SECONDS = 150.0
"""After a broken connection the host's listener may stand still for a minute: that is no loss."""
_QUIET_SECONDS = 2.0
"""What a VM that prints nothing for so long prints next is taken for an answer."""


def service(visit: Visit) -> str:
    """Everything that the service depends on answers."""
    visit.config = visit.api.get_json("/config")
    health = json_of(visit.api.ask("GET", "/health"))
    sick = [f"{each['name']}: {each['detail']}" for each in health["dependencies"] if each["status"] != "healthy"]
    if sick:
        raise Failed(f"{health['status']}: {'; '.join(sick)}")
    return f"{len(health['dependencies'])} dependencies are healthy"


def keys(visit: Visit) -> str:
    """Whoever verifies session tokens finds the keys."""
    found = visit.api.get_json("/keys")["keys"]
    if (
        not found
        or any((each["kty"], each["crv"]) != ("EC", "P-256") for each in found)
        or any("d" in k for k in found)
    ):
        raise Failed("the service publishes no EC P-256 public key")
    return f"{len(found)} public key{'s' if len(found) > 1 else ''}"


def routes(visit: Visit) -> str:
    """Every address that the service describes is answered by its own function. Nobody signs in, so nothing is done."""
    paths = visit.api.get_json("/openapi.json")["paths"]
    wrong, asked = [], 0
    for path, item in paths.items():
        address = _filled(path, item.get("parameters", []))
        for method in item.keys() & _METHODS:
            asked += 1
            body: dict[str, Any] = {"json": {}} if "requestBody" in item[method] else {}
            answer = visit.api.ask(method.upper(), address, signed=False, **body)
            if answer.headers.get("x-console-operation") != item[method]["operationId"]:
                wrong.append(f"{method.upper()} {path}: {answer.headers.get('x-console-operation', 'nobody')}")
    if wrong:
        raise Failed(f"{len(wrong)} of {asked} operations are answered by another, or by nobody: {'; '.join(wrong)}")
    return f"{asked} operations are answered by their own functions"


def _filled(path: str, parameters: list[dict[str, Any]]) -> str:
    """The address with something in each blank that fits it."""
    for each in parameters:
        schema = each["schema"]
        fits = _UUID if schema.get("format") == "uuid" else schema.get("enum", [_NAME])[0]
        path = path.replace(f"{{{each['name']}}}", fits)
    return path


def sign_in(visit: Visit) -> str:
    visit.api.token, how = access_token(visit.config, visit.asked.ca)
    return how


def stranger(visit: Visit) -> str:
    """Without a token nobody learns anything."""
    answer = visit.api.ask("GET", visit.console, signed=False)
    expect(answer, 401)
    return "who does not sign in is refused"


def preflight(visit: Visit) -> str:
    """Nothing stands in the way of a console."""
    shown = visit.api.get_json(visit.console)
    wrong = [each for each in shown["checks"] if not each["passed"]]
    if wrong:
        raise Failed("; ".join(f"{each['code']}: {each['message']} {each['fix'] or ''}".strip() for each in wrong))
    warnings = [each["code"] for each in shown["warnings"]]
    return f"{len(shown['checks'])} checks passed{_also(warnings)}"


def opening(visit: Visit) -> str:
    opened = visit.open()
    displaced = opened["displaced"]
    return f"generation {opened['generation']}" + (f", displaced {displaced['name']}" if displaced else "")


def connecting(visit: Visit) -> str:
    socket = visit.connect()
    visit.epoch, visit.start = socket.epoch, socket.start
    return f"writing, {int(socket.hello['live']) - socket.start:,} bytes from before"


def typing(visit: Visit) -> str:
    """Enter reaches the VM, and what it prints comes back."""
    return f"the VM answered Enter with {_answer(_socket(visit))} bytes or more"


def replay(visit: Visit) -> str:
    """A session token opens a console once."""
    try:
        again = Socket(str((visit.session or {})["relay"]), visit.token, visit.api.trust, visit.api.timeout)
    except Failed as refused:
        if "TokenReplayed" in str(refused) or "TokenExpired" in str(refused):
            return "the token cannot be used again"
        raise
    again.leave()
    raise Failed("the session token was accepted a second time")


def revoking(visit: Visit) -> str:
    """A session that is ended by the API is closed at the relay at once."""
    socket = _socket(visit)
    visit.end()
    ended = socket.end()
    visit.shown = bytes(socket.shown)
    if ended != SESSION_ENDED:
        raise Failed(f"the relay closed with {ended[0]} {ended[1]}, where {SESSION_ENDED[0]} was due")
    return f"closed with {ended[0]} {ended[1]}"


def resuming(visit: Visit) -> str:
    """A new session goes on at the byte where the last one ended."""
    visit.open()
    last = visit.start + len(visit.shown)
    socket = visit.connect(f"?epoch={visit.epoch}&offset={last}")
    if socket.epoch != visit.epoch or socket.start != last or socket.hello["gap"]:
        raise Failed(f"byte {last} of {visit.epoch} was due, and {socket.start} of {socket.epoch} came")
    _answer(socket)
    visit.shown += bytes(socket.shown)
    return f"at byte {last}, nothing missing and nothing twice"


def closing(visit: Visit) -> str:
    """Who leaves leaves the console free."""
    _socket(visit).leave()
    visit.end()
    deadline = time.monotonic() + visit.api.timeout
    while (found := _left_behind(visit)) and time.monotonic() < deadline:
        time.sleep(_LOOK_SECONDS)
    if found:
        raise Failed(found)
    return "the console is free"


def _left_behind(visit: Visit) -> str:
    """Empty when nobody writes there."""
    status = visit.api.get_json(visit.console)
    if status["console"] is None:
        return f"who holds the console is not known: {status['consoleUnasked']['message']}"
    writer = status["console"]["writer"]
    return f"{writer['name']} still holds the console" if writer else ""


def transcript(visit: Visit) -> str:
    """Everything that was shown is in the archive, byte for byte; where policies mask, as asterisks."""
    patience = max(visit.api.timeout, _ARCHIVE_SECONDS)
    deadline = time.monotonic() + patience
    kept = b""
    while len(kept) < len(visit.shown) and time.monotonic() < deadline:
        kept = _kept(visit)
    if len(kept) < len(visit.shown):
        raise Failed(f"{len(visit.shown)} bytes were shown, and after {patience:.0f} s {len(kept)} are archived")
    masked = sum(one != other for one, other in zip(kept, visit.shown, strict=False))
    if any(one not in (other, ord("*")) for one, other in zip(kept, visit.shown, strict=False)):
        raise Failed("what is archived is not what was shown")
    return f"{len(visit.shown):,} bytes, as they were shown" + (f", {masked} masked" if masked else "")


def verifying(visit: Visit) -> str:
    """The service finds the transcript complete, back to the segment in which this visit began."""
    begins = _recording(visit)["began"]
    query: dict[str, Any] = {"from": begins}
    while True:
        said = visit.api.get_json(f"{visit.console}/transcript/verification", **query)
        if not said["complete"]:
            raise Failed("; ".join(each["words"] for each in said["findings"]))
        if said["next"] is None:
            break
        query = {"segment": said["next"]}
    return f"complete up to byte {said['end']:,}"


STEPS = (
    Step("service", service),
    Step("routes", routes, ("service",)),
    Step("keys", keys, ("service",)),
    Step("sign-in", sign_in, ("service",)),
    Step("stranger", stranger, ("service",)),
    Step("preflight", preflight, ("sign-in",)),
    Step("open", opening, ("preflight",)),
    Step("connect", connecting, ("open",)),
    Step("type", typing, ("connect",)),
    Step("replay", replay, ("connect",)),
    Step("revoke", revoking, ("connect",)),
    Step("resume", resuming, ("revoke",)),
    Step("close", closing, ("resume",)),
    Step("transcript", transcript, ("revoke",)),
    Step("verify", verifying, ("transcript",)),
)


def _answer(socket: Socket) -> int:
    """Types Enter when the VM prints nothing by itself; how many bytes came of it."""
    socket.quiet(_QUIET_SECONDS)
    before = socket.next
    socket.type(b"\r")
    try:
        socket.printed_after(before)
    except Waited as failure:
        raise Failed(f"{failure} after Enter was typed. Does the guest listen on its serial port?") from None
    return socket.next - before


def _socket(visit: Visit) -> Socket:
    assert visit.socket, "a step that needs a socket says so"  # noqa: S101 - the table of steps above holds it
    return visit.socket


def _recording(visit: Visit) -> dict[str, Any]:
    """The one of this visit, in the list of recordings; empty until it is there."""
    found = visit.api.get_list(f"{visit.console}/recordings")
    return next((each for each in found if each["id"] == visit.epoch), {})


def _kept(visit: Visit) -> bytes:
    """What the archive has of the bytes that were shown, so far."""
    recording = _recording(visit)
    if not recording:
        time.sleep(_LOOK_SECONDS)
        return b""
    first, most = recording["start"] + visit.start, max(1, len(visit.shown))
    kept = bytearray()
    while len(kept) < most:
        answer = visit.api.get(
            f"{visit.console}/transcript", format="raw", offset=first + len(kept), limit=min(most - len(kept), 1 << 20),
            wait=1,
        )  # fmt: skip
        if not answer.content:
            break
        kept += answer.content
    return bytes(kept)


def _also(warnings: list[str]) -> str:
    return f"; warnings: {', '.join(warnings)}" if warnings else ""

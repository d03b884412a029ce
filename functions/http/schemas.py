"""The JSON Schemas of requests and answers. Written by hand; tests compare every answer with them."""

from collections.abc import Sequence
from typing import Any

from functions.http.responses import INTERNAL_ERROR
from shared.access.approval import State
from shared.access.checks import CheckName
from shared.access.commands import Command
from shared.access.policy import Switch, Typing
from shared.access.rights import Right
from shared.base.archive_progress import ArchiveState
from shared.base.refusals import Code
from shared.base.vm import Os, Power
from shared.session.grant import Mode
from shared.session.lock import Takeover
from shared.transcript.recording_state import RecordingState
from shared.transcript.verification import Fault

type Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
FLAG: Schema = {"type": "boolean"}
COUNT: Schema = {"type": "integer", "minimum": 0}
TIME: Schema = {"type": "string", "format": "date-time"}
REASON: Schema = {"type": "string", "maxLength": 512, "pattern": r"^[^\x00-\x1f\x7f]*$"}
CONSOLE_RIGHTS = (Right.WATCH, Right.WRITE, Right.POWER, Right.NMI)


def ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def one_of(values: Sequence[str]) -> Schema:
    return {"type": "string", "enum": [str(value) for value in values]}


def maybe(schema: Schema) -> Schema:
    """Returns the schema of a value or null."""
    return {"anyOf": [schema, {"type": "null"}]}


def many(schema: Schema) -> Schema:
    return {"type": "array", "items": schema}


def answer(**fields: Schema) -> Schema:
    """Returns the schema of an answered object: every field is always present."""
    return {"type": "object", "properties": fields, "required": list(fields)}


def page(name: str, **more: Schema) -> Schema:
    """Returns the schema of a page of a list; `next` is the cursor for the rest."""
    return answer(value=many(ref(name)), next=maybe(TEXT), **more)


def whole(name: str) -> Schema:
    return answer(value=many(ref(name)))


def body(*required: str, **fields: Schema) -> Schema:
    """Returns the schema of a request's body: a field that is not named here is refused."""
    return {"type": "object", "properties": fields, "required": list(required), "additionalProperties": False}


def _texts(item: Schema | None = None) -> Schema:
    entry = {"type": "string", "minLength": 1, "maxLength": 128, "pattern": r"\S"}
    return {"type": "array", "items": item or entry, "maxItems": 64}


_NAMED = answer(name=TEXT)
_HOLDER = answer(name=TEXT, since=TIME)
_WHY = {"code": TEXT, "message": TEXT, "fix": TEXT, "retryAfterSeconds": maybe(COUNT)}
"""The reason why Azure could not be asked about something."""
_MENDING = {"code": TEXT, "message": TEXT, "fix": TEXT, "fixCommand": maybe(TEXT)}
_POLICY = {
    "console": one_of([*Switch]),
    "reason": FLAG,
    "tickets": _texts(),
    "networks": _texts(),
    "tags": {"type": "object", "additionalProperties": _texts(), "maxProperties": 64},
    "regions": _texts(),
    "signIn": {
        "type": "object",
        "propertyNames": {"enum": [*map(str, Right)]},
        "additionalProperties": {"type": "string", "pattern": "^c[1-9][0-9]?$"},
    },
    "approval": _texts(one_of(CONSOLE_RIGHTS)),
    "approvalSeconds": {"type": "integer", "minimum": 60, "maximum": 86400},
    "typed": one_of([*Typing]),
    "mask": {"type": "array", "items": {"type": "string", "minLength": 1, "maxLength": 256}, "maxItems": 32},
    "capture": FLAG,
}
_KEY = answer(kty=TEXT, kid=TEXT, crv=TEXT, x=TEXT, y=TEXT, use=TEXT, alg=TEXT)
_BRIEF = {"code": one_of([*Code, INTERNAL_ERROR]), "message": TEXT, "target": maybe(TEXT)}

SCHEMAS: dict[str, Schema] = {
    "Error": answer(
        error=answer(
            **_BRIEF,
            details=many(answer(**_BRIEF)),
            innererror=answer(
                fix=TEXT,
                fixCommand=maybe(TEXT),
                helpUrl=TEXT,
                retryable=FLAG,
                retryAfterSeconds=maybe(COUNT),
                correlationId={"type": "string", "format": "uuid"},
            ),
        )
    ),
    "Warning": answer(**_MENDING),
    "Refusal": answer(**_MENDING | {"code": one_of([*Code])}),
    "Check": answer(
        check=one_of([*CheckName]), passed=FLAG, code=maybe(TEXT), message=maybe(TEXT), fix=maybe(TEXT),
        fixCommand=maybe(TEXT),
    ),
    "Console": answer(
        id=TEXT, name=TEXT, group=TEXT, location=TEXT, os=one_of([*Os]), power=one_of([*Power]), available=FLAG,
        refusals=many(ref("Refusal")), warnings=many(ref("Warning")),
    ),
    "Consoles": page("Console", unasked=many(answer(subscription=TEXT, **_WHY))),
    "Preflight": answer(
        **{"for": one_of(CONSOLE_RIGHTS)}, id=TEXT, name=TEXT, available=FLAG, checks=many(ref("Check")),
        warnings=many(ref("Warning")), console=maybe(answer(generation=COUNT, writer=maybe(_HOLDER))),
        consoleUnasked=maybe(answer(**_WHY)),
        rights=many(one_of([*Right])),
    ),
    "OpenedSession": answer(
        id=TEXT, generation=COUNT, mode=one_of([*Mode]), token=TEXT, expiresAt=TIME, relay=TEXT,
        displaced=maybe(_HOLDER), warnings=many(ref("Warning")),
    ),
    "Session": answer(
        id=TEXT, state=one_of(["requested", "attached", "ended"]), mode=one_of([*Mode]), generation=COUNT,
        user=_NAMED, requestedAt=TIME, endedAt=maybe(TIME), endedBy=maybe(TEXT),
    ),
    "SessionWish": body(
        mode=one_of([*Mode]), takeover=one_of([*Takeover]), reason=maybe(REASON)
    ),
    "Act": answer(act=one_of([*Command]), by=_NAMED),
    "ActWish": body(reason=maybe(REASON)),
    "SysRqWish": body("keys", reason=maybe(REASON), keys={"type": "string", "pattern": "^[A-Za-z0-9]{1,16}$"}),
    "Approval": answer(
        **{"for": one_of(CONSOLE_RIGHTS)}, id=TEXT, vm=TEXT, vmName=TEXT, state=one_of([*State]), reason=TEXT,
        askedBy=_NAMED, askedAt=TIME, waitsUntil=TIME, goodUntil=maybe(TIME), decidedBy=maybe(_NAMED),
        decidedAt=maybe(TIME), comment=maybe(TEXT), mine=FLAG,
    ),
    "ApprovalWish": body("reason", **{"for": one_of(CONSOLE_RIGHTS)}, reason=REASON),
    "Decision": body("allow", allow=FLAG, comment=maybe(REASON)),
    "Policy": body(**_POLICY),
    "PolicyOfScope": answer(
        scope=TEXT, policy=maybe(ref("Policy")), setBy=maybe(TEXT), setAt=maybe(TIME), version=maybe(TEXT),
        inherited=many(answer(scope=TEXT, policy=ref("Policy"))),
    ),
    "Recordings": page("Recording", complete=FLAG, hold=maybe(ref("Hold")), archive=ref("ArchiveProgress")),
    "ArchiveProgress": answer(state=one_of([*ArchiveState]), records=COUNT, recorded=maybe(TIME)),
    "Recording": answer(
        id=TEXT, began=TIME, last=TIME, ended=maybe(TIME), reason=maybe(TEXT), start=COUNT, end=COUNT,
        people=many(answer(session=TEXT, name=TEXT, mode=TEXT, began=TIME, ended=maybe(TIME))),
        marks=many(answer(kind=TEXT, offset=COUNT, time=TIME, text=TEXT)),
        state=one_of([*RecordingState]), lastSign=maybe(TIME),
    ),
    "Hold": answer(by=TEXT, since=TIME, reason=TEXT),
    "HoldWish": body("reason", reason=REASON),
    "Verification": answer(
        complete=FLAG, segments=COUNT, first=COUNT, end=COUNT, hash=TEXT,
        signed=maybe(answer(time=TIME, offset=COUNT)), next=maybe(TEXT), omitted=COUNT,
        archive=maybe(ref("ArchiveProgress")),
        findings=many(
            answer(fault=one_of([*Fault]), segment=COUNT, line=COUNT, offset=COUNT, words=TEXT, who=TEXT)
        ),
    ),
    "Reads": answer(value=many(answer(time=TIME, name=TEXT, what=TEXT))),
    "Hits": answer(
        value=many(
            answer(
                offset=COUNT, time=TIME, before=many(TEXT), match=TEXT, after=many(TEXT), recording=maybe(TEXT)
            )
        ),
        next=maybe(TEXT),
    ),
    "Checkpoints": answer(value=many(TEXT), next=maybe(TEXT), keys=many(_KEY)),
    "Config": answer(
        clientId=TEXT, authority=TEXT, knownAuthorities=many(TEXT), authorityMetadata=maybe({"type": "object"}),
        scopes=many(TEXT),
    ),
    "Health": answer(
        status=one_of(["healthy", "degraded"]),
        dependencies=many(
            answer(name=TEXT, status=one_of(["healthy", "degraded"]), milliseconds={"type": "number"}, detail=TEXT)
        ),
    ),
    "Keys": answer(keys=many(_KEY)),
    "AzureSwitch": answer(properties=answer(disabled=FLAG)),
    "AzurePort": answer(
        id=TEXT, name=TEXT, type=TEXT,
        properties=answer(state=one_of(["enabled", "disabled"]), connectionState=one_of(["active", "inactive"])),
    ),
    "AzurePortWish": {
        "type": "object",
        "properties": {
            "properties": {
                "type": "object",
                "properties": {"state": one_of(["enabled", "disabled"])},
                "required": ["state"],
            }
        },
        "required": ["properties"],
    },
    "AzureConnection": answer(connectionString=TEXT, token=TEXT, expiresAt=TIME),
    "AzureOperation": answer(
        name=TEXT, isDataAction=TEXT, display=answer(provider=TEXT, resource=TEXT, operation=TEXT, description=TEXT)
    ),
}  # fmt: skip

_ID = {"type": "string", "pattern": "^[A-Za-z0-9_-]{8,64}$"}
_NAME = {"type": "string", "pattern": r"^[A-Za-z0-9_]([A-Za-z0-9_.()-]{0,88}[A-Za-z0-9_()-])?$"}
PARAMETERS: dict[str, tuple[str, Schema]] = {
    "subscription": ("The subscription's id", {"type": "string", "format": "uuid"}),
    "group": ("The resource group", _NAME),
    "name": ("The VM; of a scale set: the instance's id", _NAME),
    "scale_set": ("The scale set", _NAME),
    "session": ("As opening it has answered", _ID),
    "approval": ("As asking for it has answered", _ID),
    "port": ("A VM has one", one_of(["0"])),
    "kind": (
        "virtualMachines; or, as one encoded segment, virtualMachineScaleSets/{set}/virtualMachines",
        one_of(["virtualMachines"]),
    ),
}
"""The parameters of addresses: a description and a schema each."""

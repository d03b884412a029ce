"""A relay attaches the bearer of a session token: check the claims, mark the token as used, check the generation."""

from collections.abc import Mapping
from typing import Any

from shared.access.recording_settings import recording_settings
from shared.base.refusals import Code, Refusal, refuse
from shared.session.dependencies import Dependencies
from shared.session.grant import Grant, InvalidGrant, Mode
from shared.session.ports import Admission, Session


async def attach_session(dependencies: Dependencies, relay: str, claims: Mapping[str, Any]) -> Admission | Refusal:
    """Admits an attach. The relay has verified the signature; the claims are checked here again. Raises Unavailable."""
    grant = _grant(dependencies, relay, claims)
    if isinstance(grant, Refusal):
        return grant
    if dependencies.clock.now() >= grant.expires_at:
        return _refuse(grant, Code.TOKEN_EXPIRED)
    recording = recording_settings(await dependencies.policies.over(grant.vm))
    if not await dependencies.used_tokens.burn(grant.token_id, grant.expires_at):
        return _refuse(grant, Code.TOKEN_REPLAYED)
    session = await dependencies.sessions.find(grant.vm, grant.session)
    if code := _unfit(session, grant):
        return _refuse(grant, code)
    if grant.mode is Mode.WRITE and not await _holds(dependencies, grant):
        return _refuse(grant, Code.SESSION_SUPERSEDED)
    await dependencies.sessions.attached(grant.vm, grant.session)
    return Admission(
        grant.session, dependencies.settings.idle_seconds, dependencies.settings.session_seconds, recording
    )


def _grant(dependencies: Dependencies, relay: str, claims: Mapping[str, Any]) -> Grant | Refusal:
    try:
        grant = Grant.from_claims(dict(claims))
    except InvalidGrant:
        return refuse(Code.TOKEN_INVALID)
    meant = grant.audience == f"relay:{relay}" and grant.issuer == dependencies.settings.issuer
    return grant if meant else refuse(Code.TOKEN_INVALID)


def _unfit(session: Session | None, grant: Grant) -> Code | None:
    """Returns the code of a refusal if the stored session does not match the grant."""
    if session is None:
        return Code.SESSION_NOT_FOUND
    if session.state == "ended":
        return Code.SESSION_ENDED
    same = (session.subject, session.mode, session.generation) == (grant.subject, grant.mode, grant.generation)
    return None if same else Code.TOKEN_INVALID


async def _holds(dependencies: Dependencies, grant: Grant) -> bool:
    """Returns True if the session has the console. From now on the relay's heartbeat renews its lease."""
    return (await dependencies.consoles.show(grant.vm)).holds(grant.session, grant.generation)


def _refuse(grant: Grant, code: Code) -> Refusal:
    return refuse(code, target=grant.vm.resource_id)

"""The settings of sessions: relays, tokens, times, and the page that opens them."""

from dataclasses import dataclass

from shared.access.settings import AccessSettings
from shared.base.settings import setting, words
from shared.session.ports import Relay


def _relays(text: str) -> tuple[Relay, ...]:
    """`name=wss://address|https://control`, separated by white space."""
    relays = []
    for word in text.split():
        name, _, addresses = word.partition("=")
        address, _, control = addresses.partition("|")
        if not (name and address.startswith(("ws://", "wss://")) and control.startswith(("http://", "https://"))):
            raise ValueError("write name=wss://address|https://control address, separated by spaces")
        relays.append(Relay(name, address, control))
    return tuple(relays)


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionSettings(AccessSettings):
    """The settings that sessions need."""

    session_key: str = setting(
        "SESSION_KEY",
        "what signs session tokens: address of an EC P-256 key in a Key Vault, without a version; or private keys "
        "(PEM), of which the first signs",
    )
    relays: tuple[Relay, ...] = setting("RELAYS", "relay shards: name=wss://address|https://control ...", read=_relays)
    idle_seconds: int = setting(
        "SESSION_IDLE_SECONDS", "a session ends when nothing is typed for so long", "900", read=int
    )
    session_seconds: int = setting("SESSION_SECONDS", "a session ends after so long", "28800", read=int)
    token_seconds: int = setting("TOKEN_SECONDS", "life of a session token, at most 30", "30", read=int)
    ask_seconds: int = setting("ASK_SECONDS", "how long a writer has to refuse a takeover that asks", "20", read=int)
    page_client: str = setting("PAGE_CLIENT_ID", "client id of the page's app registration")
    page_authority_metadata: str = setting(
        "PAGE_AUTHORITY_METADATA",
        "OpenID configuration (JSON) handed to the page's sign-in library, for clouds it does not know",
        "",
    )
    origins: tuple[str, ...] = setting(
        "PAGE_ORIGINS", "origins whose pages may call the API or connect", "", read=words
    )

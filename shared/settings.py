"""Every setting of the function app and of the relay.

`local.settings.sample.json` and docs/settings.md are tested against this module.
"""

from dataclasses import dataclass

from shared.access.settings import CommonSettings
from shared.base.settings import setting, words
from shared.session.settings import SessionSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionSettings(SessionSettings):
    """The function app's settings."""

    storage: str = setting("TRANSCRIPT_STORAGE", "storage of transcripts: a connection string, or an account's name")
    statement_key: str = setting(
        "STATEMENT_KEY",
        "what signs checkpoints of transcripts, as SESSION_KEY, and another key than that",
    )
    ring_bytes: int = setting(
        "RING_BYTES",
        "bytes of each VM's transcript that are kept, as they are stored; 0: all",
        str(1 << 30),
        read=int,
    )
    ring_days: int = setting("RING_DAYS", "how long a VM's transcript is kept, days; 0: for ever", "90", read=int)
    session_days: int = setting(
        "SESSION_DAYS",
        "how long sessions and requests for approval that are over can be looked up, days",
        "30",
        read=int,
    )
    read_days: int = setting(
        "READ_DAYS", "how long it is known who read a transcript, days; 0: for ever", "400", read=int
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class RelaySettings(CommonSettings):
    """The relay's settings."""

    name: str = setting("RELAY_NAME", "this shard's name, as RELAYS of the function app has it")
    host: str = setting("RELAY_HOST", "address to listen on", "0.0.0.0")  # noqa: S104 - a container's default
    port: int = setting("RELAY_PORT", "port for browsers' WebSockets", "8080", read=int)
    control_port: int = setting("RELAY_CONTROL_PORT", "port for control, health and metrics", "8081", read=int)
    control_plane: str = setting("CONTROL_PLANE", "the function app's API, ending in /api")
    control_plane_audience: str = setting("API_AUDIENCE", "application id URI of the API")
    origins: tuple[str, ...] = setting("PAGE_ORIGINS", "origins whose pages may call the API or connect", read=words)
    spool: str = setting("SPOOL_DIR", "folder of the spool: a disk that outlives the process")
    spool_bytes: int = setting("SPOOL_BYTES", "bytes spooled before VMs are paused", str(256 * 1024 * 1024), read=int)
    spool_wait: int = setting(
        "SPOOL_WAIT_SECONDS",
        "how long to wait for a relay before this one to let go of the spool's folder",
        "600",
        read=int,
    )
    heartbeat_seconds: int = setting("HEARTBEAT_SECONDS", "time between heartbeats, seconds", "5", read=int)
    scrollback_bytes: int = setting(
        "SCROLLBACK_BYTES",
        "printed bytes kept per console for those who attach",
        "262144",
        read=int,
    )
    mask_key: str = setting(
        "MASK_KEY",
        "secret that keys the digests of what policies mask, 32 random characters or more; empty: another with every "
        "start, and no digest can be tried later",
        "",
    )
    capture_most: int = setting(
        "CAPTURE_MOST",
        "consoles that are recorded without a viewer, where policies want it; 0: none",
        "50",
        read=int,
    )
    linger_seconds: int = setting(
        "LINGER_SECONDS",
        "how long a VM's port stays open after the last one left, to resume without a gap",
        "20",
        read=int,
    )

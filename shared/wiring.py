"""The only place where adapters meet flows. Nothing is built before it is asked for, and then once per process."""

from functools import cache
from typing import Any, TypedDict

from shared.access.ports import Policies, RateLimits
from shared.base.ports import Clock, Dependency, Unavailable
from shared.session.dependencies import Dependencies, LiveAzure, Probe
from shared.session.ports import KeyRing, Leases, Notices, Sessions, UsedTokens
from shared.settings import FunctionSettings
from shared.transcript.flows.archive import Archive
from shared.transcript.ports import OldRows, Transcripts
from shared.transcript.retention import Retention

built: dict[str, Dependencies] = {}
"""By the durable client binding's text, of which a process sees one. A test puts its own world here."""


def dependencies(starter: str) -> Dependencies:
    """What the function app's flows need. `starter` is the text of the durable client binding.

    Raises InvalidSetting.
    """
    if starter not in built:
        built[starter] = _dependencies(starter)
    return built[starter]


@cache
def settings() -> FunctionSettings:
    """Raises InvalidSetting."""
    return FunctionSettings.read()


@cache
def credential() -> Any:
    """The service's own identity: the managed identity in Azure, whatever the environment names elsewhere."""
    from azure.identity.aio import DefaultAzureCredential  # noqa: PLC0415 - slow to import

    about = settings()
    return DefaultAzureCredential(authority=about.authority, disable_instance_discovery=not about.instance_discovery)


@cache
def transcripts() -> Transcripts:
    """The archive. Raises InvalidSetting."""
    from shared.transcript.blobs.transcripts import BlobTranscripts  # noqa: PLC0415 - slow to import

    return BlobTranscripts(blobs())


@cache
def archive() -> Archive:
    """The archive with its index, its signed statements and its holds. Raises InvalidSetting, NotASigningKey."""
    from shared.base.system_clock import SystemClock  # noqa: PLC0415 - as above
    from shared.transcript.blobs.signed_statements import BlobStatementLog  # noqa: PLC0415 - slow to import
    from shared.transcript.keys.statement_keys import StatementSigner  # noqa: PLC0415 - as above
    from shared.transcript.tables.holds import TableHolds  # noqa: PLC0415 - as above
    from shared.transcript.tables.index import TableIndex  # noqa: PLC0415 - as above
    from shared.transcript.tables.reads import TableReads  # noqa: PLC0415 - as above

    about = settings()
    return Archive(
        transcripts=transcripts(),
        index=TableIndex(tables()),
        ledger=BlobStatementLog(
            blobs(),
            StatementSigner(_statement_keys(), about.issuer),
        ),
        holds=TableHolds(tables()),
        reads=TableReads(tables()),
        clock=SystemClock(),
        ring=Retention(about.ring_bytes, about.ring_days),
    )


@cache
def blobs() -> Any:
    """The blobs' client, one per process. Raises InvalidSetting."""
    from shared.transcript.blobs.transcripts import blob_service  # noqa: PLC0415 - slow to import

    return blob_service(settings().storage, credential(), settings().storage_suffix)


@cache
def tables() -> Any:
    """The tables' client, one per process. Raises InvalidSetting."""
    from shared.base.tables import table_service  # noqa: PLC0415 - slow to import

    return table_service(settings().storage, credential(), settings().storage_suffix)


@cache
def old_rows() -> OldRows:
    """Rows that go by their age. Raises InvalidSetting."""
    from shared.transcript.tables.old_rows import TableOldRows  # noqa: PLC0415 - slow to import

    return TableOldRows(tables())


@cache
def leases() -> Leases:
    """The lives of relays. Raises InvalidSetting."""
    from shared.session.tables.leases import TableLeases  # noqa: PLC0415 - slow to import

    return TableLeases(tables())


def clock() -> Clock:
    from shared.base.system_clock import SystemClock  # noqa: PLC0415 - as above

    return SystemClock()


@cache
def approvals_table() -> Any:
    """Where requests for approval are kept; their orchestration needs it outside a request. Raises InvalidSetting."""
    from shared.access.tables.approvals import TableApprovals  # noqa: PLC0415 - slow to import
    from shared.base.system_clock import SystemClock  # noqa: PLC0415 - as above

    return TableApprovals(tables(), SystemClock())


@cache
def _statement_keys() -> KeyRing:
    """Raises InvalidSetting, NotASigningKey."""
    return _key_ring(settings().statement_key, "STATEMENT_KEY")


async def _probe_statements() -> None:
    """A key that signs no statement keeps no console from opening. Raises Unavailable."""
    from shared.session.keys.pem_key_ring import NotASigningKey  # noqa: PLC0415 - slow to import

    try:
        await _statement_keys().probe()
    except NotASigningKey as error:
        raise Unavailable(Dependency.STATEMENT_KEYS, str(error)) from error


def _key_ring(key: str, setting: str) -> KeyRing:
    """Keys in a vault by their address, else those that the setting holds. Raises NotASigningKey."""
    if key.startswith("https://"):
        from shared.base.system_clock import SystemClock  # noqa: PLC0415 - as below
        from shared.session.keys.vault_key_ring import VaultKeyRing  # noqa: PLC0415 - slow to import

        return VaultKeyRing(key, settings().cloud, credential(), SystemClock())
    from shared.session.keys.pem_key_ring import PemKeyRing  # noqa: PLC0415 - slow to import

    return PemKeyRing(key, setting)


def _dependencies(starter: str) -> Dependencies:
    # Imported here: a third of a second that indexing the functions need not wait for.
    from shared.access.azure.callers import EntraCallers, fetch_keys  # noqa: PLC0415
    from shared.access.durable.approvals import DurableApprovals  # noqa: PLC0415
    from shared.base.http_json import Http  # noqa: PLC0415
    from shared.base.signing_keys import SigningKeys  # noqa: PLC0415
    from shared.base.system_clock import RandomIds, SystemClock  # noqa: PLC0415
    from shared.base.task_hub import TaskHub  # noqa: PLC0415
    from shared.session.durable.consoles import DurableConsoles  # noqa: PLC0415
    from shared.session.http.relay_control import RelayControl  # noqa: PLC0415
    from shared.session.keys.jwt_tokens import JwtTokens  # noqa: PLC0415

    about, clock, http = settings(), SystemClock(), Http()
    keys = _key_ring(about.session_key, "SESSION_KEY")
    tokens = JwtTokens(keys, about.issuer, clock)
    hub = TaskHub(starter)
    consoles = DurableConsoles(hub, clock)
    access, vms, rights, around, power, boot_logs = _arm(about, clock, http)
    return Dependencies(
        settings=about,
        callers=EntraCallers(about, SigningKeys(fetch_keys(http), clock)),
        vms=vms,
        rights=rights,
        around=around,
        live_azure=_shared(access, vms, about, clock),
        approvals=DurableApprovals(hub, approvals_table()),
        power=power,
        boot_logs=boot_logs,
        consoles=consoles,
        tokens=tokens,
        relays=RelayControl(about.relays, tokens, http),
        **_rows(about, clock),
        clock=clock,
        ids=RandomIds(),
        probes={
            **_probes(about, http, tables(), consoles),
            "signing keys": keys.probe,
            "statement keys": _probe_statements,
        },
    )


class _Rows(TypedDict):
    """What is stored in tables."""

    policies: Policies
    paces: RateLimits
    sessions: Sessions
    used_tokens: UsedTokens
    leases: Leases
    notices: Notices


def _rows(about: FunctionSettings, clock: Clock) -> _Rows:
    from shared.access.tables.policies import TablePolicies  # noqa: PLC0415 - as above
    from shared.access.tables.rate_limits import TableRateLimits  # noqa: PLC0415 - as above
    from shared.session.tables.notices import TableNotices  # noqa: PLC0415 - as above
    from shared.session.tables.sessions import TableSessions  # noqa: PLC0415 - as above
    from shared.session.tables.used_tokens import TableUsedTokens  # noqa: PLC0415 - slow to import

    return _Rows(
        policies=TablePolicies(tables(), about.policy, clock),
        paces=TableRateLimits(tables(), clock),
        sessions=TableSessions(tables()),
        used_tokens=TableUsedTokens(tables()),
        leases=leases(),
        notices=TableNotices(tables()),
    )


def _arm(about: FunctionSettings, clock: Clock, http: Any) -> tuple[Any, Any, Any, Any, Any, Any]:
    """Who asks ARM, VMs, rights, what is around VMs, power acts, and boot logs."""
    from shared.access.azure.arm_clients import ArmAccess, importing  # noqa: PLC0415 - slow to import
    from shared.access.azure.boot_logs import ArmBootLogs  # noqa: PLC0415 - slow to import
    from shared.access.azure.constraints import ArmConstraints  # noqa: PLC0415 - slow to import
    from shared.access.azure.on_behalf_of import managed_identity_assertions, no_assertions  # noqa: PLC0415
    from shared.access.azure.power import ArmCommands  # noqa: PLC0415 - slow to import
    from shared.access.azure.rights import ArmRights  # noqa: PLC0415 - slow to import
    from shared.access.azure.vms import ArmVms  # noqa: PLC0415 - slow to import

    assertions = no_assertions if about.api_secret else managed_identity_assertions(about.identity_client, about.cloud)
    access = ArmAccess(about, credential(), assertions, clock)
    importing()  # who reads the page meanwhile, or signs in, need not wait for it later
    return (
        access,
        ArmVms(access, about.subscriptions),
        ArmRights(access, about.cache_seconds, clock),
        ArmConstraints(access, about.subscriptions, about.cache_seconds, clock),
        ArmCommands(access),
        ArmBootLogs(access, http),
    )


def _shared(access: Any, vms: Any, about: FunctionSettings, clock: Clock) -> LiveAzure:
    """What live sessions are judged by."""
    from shared.access.azure.constraints import ArmConstraints  # noqa: PLC0415 - slow to import
    from shared.access.azure.shared_constraints import ArmSharedConstraints  # noqa: PLC0415 - slow to import
    from shared.access.azure.shared_questions import SharedQuestions  # noqa: PLC0415 - slow to import
    from shared.access.azure.shared_rights import ArmSharedRights  # noqa: PLC0415 - slow to import
    from shared.access.azure.shared_vms import ArmSharedVms  # noqa: PLC0415 - slow to import

    questions = SharedQuestions(access, float(about.recheck_seconds), clock)
    around = ArmConstraints(access, about.subscriptions, questions.seconds, clock)
    return LiveAzure(
        vms=ArmSharedVms(vms, questions),
        rights=ArmSharedRights(questions),
        around=ArmSharedConstraints(around, questions),
    )


def _probes(about: FunctionSettings, http: Any, tables: Any, consoles: Any) -> dict[str, Probe]:
    from shared.session.http import probes  # noqa: PLC0415 - slow to import

    keys = f"{about.authority}/{about.tenants[0]}/discovery/v2.0/keys"
    return {
        "entra keys": probes.HttpProbe(http, keys, Dependency.ENTRA_KEYS, strictly=True),
        "arm": probes.HttpProbe(http, f"{about.arm}/subscriptions?api-version=2022-12-01", Dependency.ARM),
        "storage blobs": probes.BlobsProbe(about.storage, credential(), about.storage_suffix),
        "storage tables": probes.TablesProbe(tables),
        "event hub": probes.EventHubProbe(about, credential()),
        "task hub": consoles.probe,
        **dict(probes.relay_probes(http, about)),
    }

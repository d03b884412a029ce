"""Connects adapters to flows, and is the only module that does. Each object is built on first use, once per process."""

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
"""By the text of the durable client binding; a process sees one such text. Tests put their own dependencies here."""


def dependencies(starter: str) -> Dependencies:
    """Returns what the flows of the function app need. `starter` is the text of the durable client binding.

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

    chosen = settings()
    return DefaultAzureCredential(authority=chosen.authority, disable_instance_discovery=not chosen.instance_discovery)


@cache
def transcripts() -> Transcripts:
    """Returns the archive's blobs. Raises InvalidSetting."""
    from shared.transcript.blobs.transcripts import BlobTranscripts  # noqa: PLC0415 - slow to import

    return BlobTranscripts(blobs())


@cache
def archive() -> Archive:
    """Returns the archive with its index, signed statements and holds. Raises InvalidSetting, NotASigningKey."""
    from shared.base.system_clock import SystemClock  # noqa: PLC0415 - as above
    from shared.transcript.blobs.signed_statements import BlobStatementLog  # noqa: PLC0415 - slow to import
    from shared.transcript.keys.statement_keys import StatementSigner  # noqa: PLC0415 - as above
    from shared.transcript.tables.holds import TableHolds  # noqa: PLC0415 - as above
    from shared.transcript.tables.index import TableIndex  # noqa: PLC0415 - as above
    from shared.transcript.tables.reads import TableReads  # noqa: PLC0415 - as above

    chosen = settings()
    return Archive(
        transcripts=transcripts(),
        index=TableIndex(tables()),
        ledger=BlobStatementLog(
            blobs(),
            StatementSigner(_statement_keys(), chosen.issuer),
        ),
        holds=TableHolds(tables()),
        reads=TableReads(tables()),
        clock=SystemClock(),
        ring=Retention(chosen.ring_bytes, chosen.ring_days),
    )


@cache
def blobs() -> Any:
    """Returns the client for blobs, one per process. Raises InvalidSetting."""
    from shared.transcript.blobs.transcripts import blob_service  # noqa: PLC0415 - slow to import

    return blob_service(settings().storage, credential(), settings().storage_suffix)


@cache
def tables() -> Any:
    """Returns the client for tables, one per process. Raises InvalidSetting."""
    from shared.base.tables import table_service  # noqa: PLC0415 - slow to import

    return table_service(settings().storage, credential(), settings().storage_suffix)


@cache
def old_rows() -> OldRows:
    """Returns the rows that are deleted at a certain age. Raises InvalidSetting."""
    from shared.transcript.tables.old_rows import TableOldRows  # noqa: PLC0415 - slow to import

    return TableOldRows(tables())


@cache
def leases() -> Leases:
    """Returns the leases of relays. Raises InvalidSetting."""
    from shared.session.tables.leases import TableLeases  # noqa: PLC0415 - slow to import

    return TableLeases(tables())


def clock() -> Clock:
    from shared.base.system_clock import SystemClock  # noqa: PLC0415 - as above

    return SystemClock()


@cache
def approvals_table() -> Any:
    """Returns the table of requests for approval; their orchestration uses it outside a request.

    Raises InvalidSetting.
    """
    from shared.access.tables.approvals import TableApprovals  # noqa: PLC0415 - slow to import
    from shared.base.system_clock import SystemClock  # noqa: PLC0415 - as above

    return TableApprovals(tables(), SystemClock())


@cache
def _statement_keys() -> KeyRing:
    """Raises InvalidSetting, NotASigningKey."""
    return _key_ring(settings().statement_key, "STATEMENT_KEY")


async def _probe_statements() -> None:
    """Checks the key of statements. A bad key is reported here only: consoles still open. Raises Unavailable."""
    from shared.session.keys.pem_key_ring import NotASigningKey  # noqa: PLC0415 - slow to import

    try:
        await _statement_keys().probe()
    except NotASigningKey as error:
        raise Unavailable(Dependency.STATEMENT_KEYS, str(error)) from error


def _key_ring(key: str, setting: str) -> KeyRing:
    """Returns the keys of a vault if `key` is an https address, else the keys in the text itself.

    `setting` is the name that errors mention. Raises NotASigningKey.
    """
    if key.startswith("https://"):
        from shared.base.system_clock import SystemClock  # noqa: PLC0415 - as below
        from shared.session.keys.vault_key_ring import VaultKeyRing  # noqa: PLC0415 - slow to import

        return VaultKeyRing(key, settings().cloud, credential(), SystemClock())
    from shared.session.keys.pem_key_ring import PemKeyRing  # noqa: PLC0415 - slow to import

    return PemKeyRing(key, setting)


def _dependencies(starter: str) -> Dependencies:
    # These imports take a third of a second. Indexing the functions does not need them.
    from shared.access.azure.callers import EntraCallers, fetch_keys  # noqa: PLC0415
    from shared.access.durable.approvals import DurableApprovals  # noqa: PLC0415
    from shared.base.http_json import Http  # noqa: PLC0415
    from shared.base.signing_keys import SigningKeys  # noqa: PLC0415
    from shared.base.system_clock import RandomIds, SystemClock  # noqa: PLC0415
    from shared.base.task_hub import TaskHub  # noqa: PLC0415
    from shared.session.durable.consoles import DurableConsoles  # noqa: PLC0415
    from shared.session.http.relay_control import RelayControl  # noqa: PLC0415
    from shared.session.keys.jwt_tokens import JwtTokens  # noqa: PLC0415

    chosen, clock, http = settings(), SystemClock(), Http()
    keys = _key_ring(chosen.session_key, "SESSION_KEY")
    tokens = JwtTokens(keys, chosen.issuer, clock)
    hub = TaskHub(starter)
    consoles = DurableConsoles(hub, clock)
    access, vms, rights, constraints, power, boot_logs = _azure_adapters(chosen, clock, http)
    return Dependencies(
        settings=chosen,
        callers=EntraCallers(chosen, SigningKeys(fetch_keys(http), clock)),
        vms=vms,
        rights=rights,
        around=constraints,
        live_azure=_live_azure(access, vms, chosen, clock),
        approvals=DurableApprovals(hub, approvals_table()),
        power=power,
        boot_logs=boot_logs,
        consoles=consoles,
        tokens=tokens,
        relays=RelayControl(chosen.relays, tokens, http),
        **_table_adapters(chosen, clock),
        clock=clock,
        ids=RandomIds(),
        probes={
            **_probes(chosen, http, tables(), consoles),
            "signing keys": keys.probe,
            "statement keys": _probe_statements,
        },
    )


class _TableAdapters(TypedDict):
    """The ports whose adapters store rows in tables."""

    policies: Policies
    paces: RateLimits
    sessions: Sessions
    used_tokens: UsedTokens
    leases: Leases
    notices: Notices


def _table_adapters(chosen: FunctionSettings, clock: Clock) -> _TableAdapters:
    from shared.access.tables.policies import TablePolicies  # noqa: PLC0415 - as above
    from shared.access.tables.rate_limits import TableRateLimits  # noqa: PLC0415 - as above
    from shared.session.tables.notices import TableNotices  # noqa: PLC0415 - as above
    from shared.session.tables.sessions import TableSessions  # noqa: PLC0415 - as above
    from shared.session.tables.used_tokens import TableUsedTokens  # noqa: PLC0415 - slow to import

    return _TableAdapters(
        policies=TablePolicies(tables(), chosen.policy, clock),
        paces=TableRateLimits(tables(), clock),
        sessions=TableSessions(tables()),
        used_tokens=TableUsedTokens(tables()),
        leases=leases(),
        notices=TableNotices(tables()),
    )


def _azure_adapters(chosen: FunctionSettings, clock: Clock, http: Any) -> tuple[Any, Any, Any, Any, Any, Any]:
    """Returns the access to ARM, and the adapters of VMs, rights, constraints, power commands and boot logs."""
    from shared.access.azure.arm_clients import ArmAccess, importing  # noqa: PLC0415 - slow to import
    from shared.access.azure.boot_logs import ArmBootLogs  # noqa: PLC0415 - slow to import
    from shared.access.azure.constraints import ArmConstraints  # noqa: PLC0415 - slow to import
    from shared.access.azure.on_behalf_of import managed_identity_assertions, no_assertions  # noqa: PLC0415
    from shared.access.azure.power import ArmCommands  # noqa: PLC0415 - slow to import
    from shared.access.azure.rights import ArmRights  # noqa: PLC0415 - slow to import
    from shared.access.azure.vms import ArmVms  # noqa: PLC0415 - slow to import

    assertions = (
        no_assertions if chosen.api_secret else managed_identity_assertions(chosen.identity_client, chosen.cloud)
    )
    access = ArmAccess(chosen, credential(), assertions, clock)
    importing()  # begins now: the SDKs load while the user reads the page or signs in
    return (
        access,
        ArmVms(access, chosen.subscriptions),
        ArmRights(access, chosen.cache_seconds, clock),
        ArmConstraints(access, chosen.subscriptions, chosen.cache_seconds, clock),
        ArmCommands(access),
        ArmBootLogs(access, http),
    )


def _live_azure(access: Any, vms: Any, chosen: FunctionSettings, clock: Clock) -> LiveAzure:
    """Returns Azure as rechecks of live sessions see it: one question serves many sessions."""
    from shared.access.azure.constraints import ArmConstraints  # noqa: PLC0415 - slow to import
    from shared.access.azure.shared_constraints import ArmSharedConstraints  # noqa: PLC0415 - slow to import
    from shared.access.azure.shared_questions import SharedQuestions  # noqa: PLC0415 - slow to import
    from shared.access.azure.shared_rights import ArmSharedRights  # noqa: PLC0415 - slow to import
    from shared.access.azure.shared_vms import ArmSharedVms  # noqa: PLC0415 - slow to import

    questions = SharedQuestions(access, float(chosen.recheck_seconds), clock)
    constraints = ArmConstraints(access, chosen.subscriptions, questions.seconds, clock)
    return LiveAzure(
        vms=ArmSharedVms(vms, questions),
        rights=ArmSharedRights(questions),
        around=ArmSharedConstraints(constraints, questions),
    )


def _probes(chosen: FunctionSettings, http: Any, tables: Any, consoles: Any) -> dict[str, Probe]:
    from shared.session.http import probes  # noqa: PLC0415 - slow to import

    keys = f"{chosen.authority}/{chosen.tenants[0]}/discovery/v2.0/keys"
    return {
        "entra keys": probes.HttpProbe(http, keys, Dependency.ENTRA_KEYS, strictly=True),
        "arm": probes.HttpProbe(http, f"{chosen.arm}/subscriptions?api-version=2022-12-01", Dependency.ARM),
        "storage blobs": probes.BlobsProbe(chosen.storage, credential(), chosen.storage_suffix),
        "storage tables": probes.TablesProbe(tables),
        "event hub": probes.EventHubProbe(chosen, credential()),
        "task hub": consoles.probe,
        **dict(probes.relay_probes(http, chosen)),
    }

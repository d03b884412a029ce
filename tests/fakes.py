"""The world of the control plane in memory. Each fake keeps to its port's words; `fail` makes it break."""

# ruff: noqa: ARG002 - a fake takes what its port takes, and needs less of it

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from shared.access.approval import Approval, State
from shared.access.checks import OPEN, AzureConstraints
from shared.access.commands import Command
from shared.access.diagnostics_account import DiagnosticsAccount, NoDiagnosticsAccount
from shared.access.policy import Level, Policy, Scope, scopes_of
from shared.access.ports import BootLog, Picture, StoredPolicy, Visible
from shared.access.rate_limit import RateLimit, take
from shared.access.rights import DEFAULT, Right, on_vm
from shared.base.archive_progress import RecordedLast
from shared.base.caller import Caller, CallerKind, Secret
from shared.base.ports import Dependency, Unavailable
from shared.base.refusals import Code, Refusal, refuse
from shared.base.vm import Os, Power, Vm, VmId
from shared.session import lock
from shared.session.dependencies import Dependencies, LiveAzure
from shared.session.grant import Grant
from shared.session.lock import Acquired, Claim, Held, Lease, Lock
from shared.session.ports import Notice, Relay, Session
from shared.settings import FunctionSettings

SUBSCRIPTION = "5b5c0000-0000-4000-8000-000000000001"
VM = VmId(SUBSCRIPTION, "rg-web", "web-01")
NOW = 1_800_000_000.0
RELAY = Relay("r0", "ws://relay", "http://control")


def settings(**changes: str) -> FunctionSettings:
    must = {
        "SESSION_ISSUER": "http://issuer", "RECORDS": "hub", "ENTRA_TENANTS": "t1", "API_CLIENT_ID": "api",
        "API_AUDIENCE": "api://api", "PAGE_CLIENT_ID": "page", "SUBSCRIPTIONS": SUBSCRIPTION,
        "TRANSCRIPT_STORAGE": "account", "SESSION_KEY": "none",
        "STATEMENT_KEY": "none", "RELAYS": "r0=ws://relay|http://control",
    }  # fmt: skip
    return FunctionSettings.read(must | changes)


def person(oid: str = "ada", name: str = "Ada") -> Caller:
    return Caller("t1", oid, name, CallerKind.USER, frozenset(), Secret("token"))


def machine(vm: VmId = VM, **changes: Any) -> Vm:
    usual: dict[str, Any] = {
        "location": "westeurope",
        "os": Os.LINUX,
        "power": Power.RUNNING,
        "provisioning": "Succeeded",
        "boot_diagnostics": True,
    }
    return Vm(vm, **(usual | changes))


@dataclass
class FakeClock:
    time: float = NOW

    def now(self) -> float:
        return self.time


@dataclass
class FakeIds:
    made: int = 0

    def session(self) -> str:
        self.made += 1
        return f"session-{self.made}"


@dataclass
class FakeCallers:
    answer: Caller | Refusal = field(default_factory=person)

    async def identify(self, authorization: str | None) -> Caller | Refusal:
        return self.answer


@dataclass
class FakeVms:
    vms: dict[str, Vm] = field(default_factory=lambda: {VM.console: machine()})
    refusal: Refusal | None = None
    unasked: dict[str, Unavailable] = field(default_factory=dict)

    async def find(self, caller: Caller, vm: VmId) -> Vm | Refusal:
        return self.refusal or self.vms.get(vm.console) or refuse(Code.VM_NOT_FOUND, target=vm.resource_id)

    async def visible(self, caller: Caller) -> Visible | Refusal:
        return self.refusal or Visible(list(self.vms.values()), self.unasked)


@dataclass
class FakeRights:
    lacking: dict[str, Collection[str] | Refusal] = field(default_factory=dict)
    """By object id."""
    fail: Exception | None = None
    asked: int = 0
    failing: dict[str, Exception] = field(default_factory=dict)
    """By resource id."""
    on: dict[str, Collection[str] | Refusal] = field(default_factory=dict)
    """By resource id, whoever asks; goes before `lacking`."""
    fresh: list[bool] = field(default_factory=list)

    async def missing(
        self, caller: Caller, resource_id: str, actions: Sequence[str], *, fresh: bool = False
    ) -> Sequence[str] | Refusal:
        self.asked += 1
        self.fresh.append(fresh)
        if fail := self.fail or self.failing.get(resource_id):
            raise fail
        lacking = self.on.get(resource_id, self.lacking.get(caller.oid, ()))
        return lacking if isinstance(lacking, Refusal) else [action for action in actions if action in lacking]


@dataclass
class FakeAround:
    surroundings: AzureConstraints = OPEN
    accounts: dict[str, DiagnosticsAccount | NoDiagnosticsAccount] = field(default_factory=dict)
    left: str | None = None
    """Of a VM that is gone."""

    async def of(self, vm: VmId, *, fresh: bool = False) -> AzureConstraints:
        return self.surroundings

    async def remains(self, vm: VmId) -> str | None:
        return self.left

    async def account(self, name: str, near: VmId, *, fresh: bool = False) -> DiagnosticsAccount | NoDiagnosticsAccount:
        return self.accounts.get(name, NoDiagnosticsAccount.DELETED)


@dataclass
class FakePolicies:
    stored: dict[str, StoredPolicy] = field(default_factory=dict)
    fail: Exception | None = None

    def put(self, scope: str, **demands: Any) -> None:
        """As somebody else would have set it."""
        self.stored[scope.lower()] = StoredPolicy(Policy(**demands), "t1.somebody", NOW, str(len(self.stored) + 1))

    async def over(self, vm: VmId) -> Sequence[Level]:
        if self.fail:
            raise self.fail
        return [Level(scope, self.stored[scope].policy) for scope in scopes_of(vm) if scope in self.stored]

    async def captured(self) -> Sequence[VmId]:
        if self.fail:
            raise self.fail
        wanted = [Scope.parse(scope).vm for scope, stored in self.stored.items() if stored.policy.capture]
        return [vm for vm in wanted if vm is not None]

    async def find(self, scope: Scope) -> StoredPolicy | None:
        return self.stored.get(scope.text)

    async def set(
        self, scope: Scope, policy: Policy, by: str, at: float, *, version: str | None
    ) -> StoredPolicy | None:
        there = self.stored.get(scope.text)
        if version is not None and version != (there.version if there else ""):
            return None
        self.stored[scope.text] = StoredPolicy(policy, by, at, str(int(there.version) + 1 if there else 1))
        return self.stored[scope.text]

    async def clear(self, scope: Scope) -> None:
        self.stored.pop(scope.text, None)


@dataclass
class FakePaces:
    clock: FakeClock
    due: dict[str, float] = field(default_factory=dict)

    async def take(self, key: str, pace: RateLimit) -> float:
        self.due[key], wait = take(self.due.get(key, 0.0), pace, self.clock.now())
        return wait


@dataclass
class FakeApprovals:
    clock: FakeClock
    rows: dict[str, Approval] = field(default_factory=dict)
    rival: Approval | None = None
    """Somebody else's decision, which comes first."""

    async def ask(self, approval: Approval) -> None:
        self.rows[approval.id] = approval

    async def find(self, vm: VmId, approval: str) -> Approval | None:
        found = self.rows.get(approval)
        return found if found and found.vm.console == vm.console else None

    async def of(self, vm: VmId, subject: str) -> Sequence[Approval]:
        mine = [row for row in self.rows.values() if row.vm.console == vm.console and row.subject == subject]
        return mine[::-1]

    async def pending(self) -> Sequence[Approval]:
        return [row for row in self.rows.values() if row.state is State.PENDING]

    async def decide(self, approval: Approval) -> Approval:
        self.rows[approval.id] = self.rival or approval
        return self.rows[approval.id]


@dataclass
class FakePower:
    done: list[tuple[str, Command]] = field(default_factory=list)
    refusal: Refusal | None = None

    async def do(self, caller: Caller, vm: VmId, act: Command) -> Refusal | None:
        self.done.append((caller.oid, act))
        return self.refusal


@dataclass
class FakeBootLogs:
    kept: bytes = b"[    0.0] Linux version 6\r\n\x1b[1mlogin:\x1b[0m "
    picture: Picture | Refusal = field(default_factory=lambda: Picture(b"BM", "image/bmp"))
    refusal: Refusal | None = None

    async def log(self, caller: Caller, vm: VmId, most: int) -> BootLog | Refusal:
        start = max(0, len(self.kept) - most)
        return self.refusal or BootLog(self.kept[start:], start)

    async def screenshot(self, caller: Caller, vm: VmId) -> Picture | Refusal:
        return self.refusal or self.picture


@dataclass
class FakeConsoles:
    clock: FakeClock
    locks: dict[str, Lock] = field(default_factory=dict)
    fail_release: bool = False
    fail: Exception | None = None

    async def acquire(self, vm: VmId, claim: Claim) -> Acquired | Held:
        self.locks[vm.console], outcome = lock.acquire(await self.show(vm), claim, self.clock.now())
        return outcome

    async def release(self, vm: VmId, session: str, generation: int) -> bool:
        if self.fail_release:
            raise Unavailable(Dependency.TASK_HUB, "away")
        self.locks[vm.console], held = lock.release(await self.show(vm), session, generation)
        return held

    async def show(self, vm: VmId) -> Lock:
        if self.fail:
            raise self.fail
        return self.locks.get(vm.console, Lock())


@dataclass
class FakeLeases:
    said: dict[str, Lease] = field(default_factory=dict)
    fail: Exception | None = None

    async def renew(self, relay: str, lease: Lease) -> None:
        if self.fail:
            raise self.fail
        self.said[relay] = lease

    async def of(self, relay: str) -> Lease | None:
        if self.fail:
            raise self.fail
        return self.said.get(relay)


@dataclass
class FakeNotices:
    rows: dict[tuple[str, str], Notice] = field(default_factory=dict)

    async def add(self, relay: str, notice: Notice) -> None:
        self.rows[relay, notice.session] = notice

    async def of(self, relay: str) -> Sequence[Notice]:
        return [notice for (whose, _), notice in self.rows.items() if whose == relay]

    async def drop(self, relay: str, sessions: Collection[str]) -> None:
        for session in sessions:
            self.rows.pop((relay, session), None)


class FakeTokens:
    def __init__(self) -> None:
        self.signed: list[Grant] = []
        self.fail_ready = False
        self.fail_sign = False

    async def ready(self) -> None:
        if self.fail_ready:
            raise Unavailable(Dependency.KEY_VAULT, "away")

    async def sign(self, grant: Grant) -> str:
        if self.fail_sign:
            raise Unavailable(Dependency.KEY_VAULT, "away")
        self.signed.append(grant)
        return f"token-{len(self.signed)}"

    async def sign_command(self, relay: str, body: bytes) -> str:
        return relay

    async def public_keys(self) -> dict[str, Any]:
        return {"keys": []}


@dataclass
class FakeSessions:
    rows: dict[str, Session] = field(default_factory=dict)
    fail: Exception | None = None

    async def add(self, session: Session) -> None:
        if self.fail:
            raise self.fail
        self.rows[session.id] = session

    async def find(self, vm: VmId, session: str) -> Session | None:
        if self.fail:
            raise self.fail
        found = self.rows.get(session)
        return found if found and found.vm.console == vm.console else None

    async def attached(self, vm: VmId, session: str) -> None:
        self.rows[session] = replace(self.rows[session], state="attached")

    async def ended(self, vm: VmId, session: str, at: float, by: str) -> None:
        row = self.rows.get(session)
        if row and row.state != "ended":
            self.rows[session] = replace(row, state="ended", ended_at=at, ended_by=by)

    async def live(self, scope: Scope, since: float) -> Sequence[Session]:
        return [
            row
            for row in self.rows.values()
            if row.state != "ended" and row.requested_at > since and scope.text in scopes_of(row.vm)
        ]


@dataclass
class FakeBurntTokens:
    burnt: set[str] = field(default_factory=set)

    async def burn(self, token_id: str, expires_at: int) -> bool:
        first = token_id not in self.burnt
        self.burnt.add(token_id)
        return first


@dataclass
class FakeRelays:
    allows: bool = True
    reachable: bool = True
    fail: Exception | None = None
    last: RecordedLast | None = None
    told: list[tuple[Any, ...]] = field(default_factory=list)

    def of(self, vm: VmId) -> Relay:
        return RELAY

    async def fence(self, vm: VmId, generation: int, by: str) -> bool:
        if self.fail:
            raise self.fail
        self.told.append(("fence", generation, by))
        return self.reachable

    async def end(self, vm: VmId, session: str, code: str, by: str) -> bool:
        self.told.append(("end", session, code, by))
        return self.reachable

    async def ask(self, vm: VmId, generation: int, by: str, seconds: float) -> bool:
        self.told.append(("ask", generation, by))
        return self.allows

    async def command(self, vm: VmId, act: Command, keys: str, by: str) -> Refusal | None:
        self.told.append(("command", act, keys, by))
        return None if self.reachable else refuse(Code.CONSOLE_NOT_OPEN, target=vm.resource_id)

    async def recorded_last(self, vm: VmId) -> RecordedLast | None:
        if self.fail:
            raise self.fail
        return self.last

    async def note(self, vm: VmId, act: Command, by: str) -> bool:
        self.told.append(("note", act, by))
        return self.reachable


class FakeDependencies:
    """The fakes by name, and the Dependencies made of them."""

    def __init__(self, **changes: str) -> None:
        """`changes` are settings."""
        self.clock = FakeClock()
        self.callers, self.vms, self.rights = FakeCallers(), FakeVms(), FakeRights()
        self.consoles = FakeConsoles(self.clock)
        self.tokens, self.sessions, self.burnt = FakeTokens(), FakeSessions(), FakeBurntTokens()
        self.leases, self.notices = FakeLeases(), FakeNotices()
        self.relays, self.around, self.policies = FakeRelays(), FakeAround(), FakePolicies()
        self.paces, self.approvals = FakePaces(self.clock), FakeApprovals(self.clock)
        self.shared = LiveAzure(vms=self.vms, rights=self.rights, around=self.around)
        self.power, self.boot_logs = FakePower(), FakeBootLogs()
        self.dependencies = Dependencies(
            settings=settings(**changes),
            around=self.around,
            live_azure=self.shared,
            policies=self.policies,
            paces=self.paces,
            approvals=self.approvals,
            power=self.power,
            boot_logs=self.boot_logs,
            callers=self.callers,
            vms=self.vms,
            rights=self.rights,
            consoles=self.consoles,
            tokens=self.tokens,
            sessions=self.sessions,
            used_tokens=self.burnt,
            relays=self.relays,
            leases=self.leases,
            notices=self.notices,
            clock=self.clock,
            ids=FakeIds(),
        )


def everything(vm: VmId = VM) -> tuple[str, ...]:
    """What somebody without any right lacks."""
    return on_vm(DEFAULT, Right.WRITE, vm)


def without_read(vm: VmId = VM) -> tuple[str, ...]:
    """What a reader lacks."""
    return everything(vm)[1:]

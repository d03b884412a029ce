"""Whatever happens, in whatever order: the console's rules hold. The Skin asserts them with every action."""

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from shared.access.commands import Command
from shared.base.record import RecordKind
from shared.base.refusals import Code, refuse
from shared.console.events import (
    Attach,
    AttachPending,
    Capture,
    Commanded,
    CommandFailed,
    CommandNoted,
    Detach,
    Drain,
    End,
    Fence,
    PortLost,
    PortRefused,
    RecordFailed,
    SessionLimits,
    SpoolFull,
    SpoolRoom,
    TakeoverAnswered,
    TakeoverAsked,
    Tick,
    ViewerResumed,
    ViewerStalled,
    VisitCancelled,
)
from shared.console.port import Port
from shared.session.grant import Mode
from tests.unit.console.console_script import Skin

ANY = st.integers(min_value=0)
_UNWANTED = (Port.CLOSING, "opening")
"""A dial under way whose port nobody waits for any more: it is closed when it opens."""


class Console(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.skin = Skin(scrollback=64, linger=5)
        self.made = 0
        self.waiting: dict[str, tuple[Mode, int]] = {}
        self.count = 0

    def one(self, pick: int) -> str:
        here = sorted(self.skin.console.viewers) or ["nobody"]
        return here[pick % len(here)]

    @rule(mode=st.sampled_from(Mode), step=st.integers(-1, 1))
    def somebody_is_expected(self, mode: Mode, step: int) -> None:
        self.made += 1
        session, generation = f"s{self.made}", max(0, self.skin.console.newest + step)
        self.waiting[session] = (mode, generation)
        self.skin.do(AttachPending(session, mode, generation))

    @precondition(lambda self: self.skin.admitted & self.waiting.keys())
    @rule(back=st.integers(0, 100), limits=st.sampled_from([SessionLimits(900, 28800), SessionLimits(5, 20)]))
    def somebody_attaches(self, back: int, limits: SessionLimits) -> None:
        session = min(self.skin.admitted & self.waiting.keys())
        mode, generation = self.waiting.pop(session)
        resume = (self.skin.epoch or "e1", max(0, self.skin.console.scrollback.offset - back))
        self.skin.do(Attach(session, mode, generation, session, "t", limits, resume))

    @precondition(lambda self: self.waiting)
    @rule()
    def somebody_gives_up(self) -> None:
        self.skin.do(VisitCancelled(self.waiting.popitem()[0]))

    @rule(pick=ANY)
    def somebody_leaves(self, pick: int) -> None:
        self.skin.do(Detach(self.one(pick)))

    @precondition(lambda self: self.skin.port == "opening")
    @rule()
    def the_port_opens(self) -> None:
        self.skin.opens()

    @precondition(lambda self: self.skin.port == "opening")
    @rule(code=st.sampled_from([Code.VM_NOT_RUNNING, Code.GATEWAY_TIMEOUT]))
    def the_port_is_refused(self, code: Code) -> None:
        self.skin.port = "closed"
        self.skin.do(PortRefused(refuse(code)))

    @precondition(lambda self: self.skin.port == "closing")
    @rule()
    def the_gateway_says_goodbye_too(self) -> None:
        self.skin.closes()

    @precondition(lambda self: self.skin.port == "open")
    @rule(taken=st.booleans())
    def the_port_is_lost(self, *, taken: bool) -> None:
        self.skin.port = "closed"
        self.skin.do(PortLost(taken, "reset"))

    @precondition(lambda self: self.skin.port in ("open", "closing"))
    @rule(size=st.integers(1, 40))
    def the_vm_prints(self, size: int) -> None:
        data = bytes((self.count + at) % 251 for at in range(size))
        self.count += size
        before = self.skin.printed()
        self.skin.prints(data)
        assert self.skin.printed() == before + data

    @rule(pick=ANY)
    def somebody_types(self, pick: int) -> None:
        session, before = self.one(pick), len(self.skin.typed)
        viewer = self.skin.console.viewers.get(session)
        self.skin.types(session, b"x")
        may = viewer is not None and viewer.writes and self.skin.port == "open"
        assert (len(self.skin.typed) > before) == may
        assert not may or (viewer is not None and viewer.generation == self.skin.console.newest)

    @rule(step=st.integers(-1, 2))
    def a_fence_comes(self, step: int) -> None:
        self.skin.do(Fence(max(0, self.skin.console.newest + step), "by"))

    @rule(pick=ANY)
    def the_function_app_ends_one(self, pick: int) -> None:
        self.skin.do(End(self.one(pick), Code.ACCESS_REVOKED, None))

    @precondition(lambda self: self.waiting)
    @rule(pick=ANY)
    def the_function_app_ends_one_who_waits(self, pick: int) -> None:
        self.skin.do(End(sorted(self.waiting)[pick % len(self.waiting)], Code.ACCESS_REVOKED, None))

    @rule(act=st.sampled_from([Command.RESET, Command.NMI, Command.SYSRQ]))
    def somebody_commands(self, act: Command) -> None:
        self.made += 1
        command = f"c{self.made}"
        self.skin.do(Commanded(command, act, "", "by"))
        assert (command in self.skin.sent) == (self.skin.port == "open")
        assert (command in self.skin.unsent) == (self.skin.port != "open")

    @rule(failed=st.booleans())
    def somebody_hears_of_an_act(self, *, failed: bool) -> None:
        refusal = refuse(Code.CONSOLE_FAULT)
        self.skin.do(CommandFailed(Command.NMI, refusal) if failed else CommandNoted(Command.STOP, "by"))

    @rule(pick=ANY, ease=st.booleans())
    def a_network_is_slow_or_not(self, pick: int, *, ease: bool) -> None:
        self.skin.do(ViewerResumed(self.one(pick)) if ease else ViewerStalled(self.one(pick)))

    @rule(full=st.booleans())
    def the_spool_fills_or_empties(self, *, full: bool) -> None:
        self.skin.do(SpoolFull() if full else SpoolRoom())

    @rule()
    def somebody_asks(self) -> None:
        self.made += 1
        self.skin.do(TakeoverAsked(f"q{self.made}", self.skin.console.newest, "by", 3))

    @rule(pick=ANY, allow=st.booleans())
    def somebody_answers(self, pick: int, *, allow: bool) -> None:
        self.skin.do(TakeoverAnswered(self.one(pick), f"q{self.made}", allow))

    @rule(seconds=st.sampled_from([1.0, 4.0, 30.0]))
    def time_goes_by(self, seconds: float) -> None:
        self.skin.now += seconds
        self.skin.do(Tick())

    @precondition(lambda self: self.skin.epoch is not None)
    @rule()
    def a_record_fails(self) -> None:
        self.skin.do(RecordFailed())

    @rule(on=st.booleans())
    def it_is_captured_or_not(self, *, on: bool) -> None:
        self.skin.do(Capture(on))

    @rule()
    def the_relay_drains(self) -> None:
        self.skin.do(Drain())

    @invariant()
    def there_is_at_most_one_writer_and_it_is_the_newest(self) -> None:
        console = self.skin.console
        writers = [viewer for viewer in console.viewers.values() if viewer.writes]
        assert len(writers) <= 1
        assert (console.writer is not None) == bool(writers)
        assert all(viewer.generation == console.newest for viewer in writers)

    @invariant()
    def the_console_and_its_port_agree(self) -> None:
        port = self.skin.console.port
        assert (port is Port.OPEN) == (self.skin.port == "open")
        assert (port is Port.CLOSED) <= (self.skin.port == "closed")
        assert (port is Port.CLOSING) == (self.skin.port == "closing" or (port, self.skin.port) == _UNWANTED)
        assert (port in (Port.OPEN, Port.LOST) or self.skin.port == "closing") == (self.skin.epoch is not None)

    @invariant()
    def every_viewer_not_stalled_has_seen_all_there_is(self) -> None:
        for session, viewer in self.skin.console.viewers.items():
            if viewer.stalled_at is None:
                assert self.skin.screens[session].offset == self.skin.console.scrollback.offset

    @invariant()
    def a_paused_port_has_a_reason(self) -> None:
        if self.skin.port == "open":
            assert self.skin.paused == bool(self.skin.console._pause_reasons)

    def teardown(self) -> None:
        """Everyone goes; every epoch whose records could be written ended with a count that is right."""
        self.skin.do(Drain())
        if self.skin.port == "opening":
            self.skin.opens()
        if self.skin.port == "closing":
            self.skin.closes()
        assert self.skin.port == "closed"
        assert self.skin.epoch is None
        for records in self.skin.records.values():
            assert records[-1].kind is not RecordKind.END or records[-1].said()["records"] == len(records)


TestConsoleRules = Console.TestCase
TestConsoleRules.settings = settings(
    max_examples=60, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)

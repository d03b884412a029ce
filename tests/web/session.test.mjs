import assert from "node:assert/strict";
import { test } from "node:test";

import { advance, begin, FIRST_TRIES, IllegalMove, RETRY_SECONDS } from "../../web/session/session.js";
import { stateWords } from "../../web/session/words.js";

const NOW = 1_000_000;
const GRACE = { name: "Grace Hopper" };
const text = (string) => new TextEncoder().encode(string);
const shown = (actions) => actions.filter((one) => one.do === "show").map((one) => new TextDecoder().decode(one.bytes)).join("");
const did = (actions) => actions.map((one) => one.do);

/** Plays events from a state; answers the last state and all actions. */
function play(state, ...events) {
  const actions = [];
  for (const event of events) {
    const step = advance(state, { now: NOW, chance: 0, ...event });
    state = step.state;
    actions.push(...step.actions);
  }
  return { state, actions };
}

const connect = (wish = {}) => ({ type: "connect", ...wish });
const granted = (more = {}) => ({ type: "granted", answer: { id: "s1", mode: "write", relay: "ws://relay", token: "t", warnings: [], ...more } });
const hello = (more = {}) => ({ type: "hello", mode: "write", epoch: "e1", offset: 0, gap: false, writer: GRACE, watchers: 0, ...more });
const printed = (offset, string) => ({ type: "printed", offset, bytes: text(string) });
const closed = (code) => ({ type: "closed", code, reason: "" });
const refused = (code, more = {}) => ({ type: "refused", error: { code, message: code, retryable: false, retryAfter: null, ...more } });

const opened = (more) => play(begin(), connect(), granted(), hello(more)).state;

test("a console opens by a request, a dial and the relay's hello", () => {
  const { state, actions } = play(begin(), connect(), granted(), hello());
  assert.deepEqual(did(actions), ["request", "dial"]);
  assert.equal(actions[0].takeover, "never");
  assert.equal(actions[1].resume, null);
  assert.equal(state.phase, "open");
});

test("a console held by somebody else waits for a choice and steals nothing", () => {
  const { state, actions } = play(begin(), connect(), { ...refused("ConsoleInUse"), holder: GRACE });
  assert.equal(state.phase, "held");
  assert.equal(state.held, GRACE);
  assert.deepEqual(did(actions), ["request"]);
  const taken = play(state, connect({ takeover: "force" }));
  assert.equal(taken.actions[0].takeover, "force");
});

test("a console whose holder left while it was asked for is asked for again, and nobody has to choose", () => {
  const { state } = play(begin(), connect(), { ...refused("ConsoleInUse"), holder: null });
  assert.equal(state.phase, "waiting");
  const { actions } = play(state, { type: "retry" });
  assert.deepEqual(actions.map(({ do: what, takeover }) => [what, takeover]), [["request", "never"]]);
});

test("a console that is held each time by somebody who is not named ends in a choice", () => {
  const again = [{ type: "retry" }, { ...refused("ConsoleInUse"), holder: null }];
  const { state } = play(begin(), connect(), { ...refused("ConsoleInUse"), holder: null }, ...again, ...again);
  assert.equal(state.phase, "held");
});

test("a holder who refused and then left is not asked a second time without the person's choice", () => {
  const { state } = play(begin(), connect({ takeover: "ask" }), { ...refused("TakeoverRefused"), holder: null });
  assert.equal(state.phase, "held");
});

test("a console whose holder is not for this person to know ends in a choice at once", () => {
  const { state } = play(begin(), connect(), refused("ConsoleInUse"));
  assert.deepEqual([state.phase, state.held], ["held", null]);
});

test("bytes that were shown already are dropped by their offset", () => {
  const { state, actions } = play(opened(), printed(0, "abc"), printed(0, "abc"), printed(1, "bcde"), printed(5, "f"));
  assert.equal(shown(actions), "abcdef");
  assert.equal(state.next, 6);
});

test("what was there before the epoch is shown, answered by nobody, and moves no offset", () => {
  const { state, actions } = play(opened(), { type: "before", data: btoa("web-01 login: \xff") }, printed(0, "root"));
  assert.deepEqual(actions.slice(-2).map(({ do: act, bytes, replayed }) => [act, [...bytes].length, replayed]), [["show", 15, true], ["show", 4, false]]);
  assert.equal(actions.at(-2).bytes[14], 0xff);
  assert.equal(state.next, 4);
});

test("a lost line comes back by itself and goes on at the byte where it broke", () => {
  const lost = play(opened(), printed(0, "login: "), closed(1006));
  assert.equal(lost.state.phase, "waiting");
  const back = play(lost.state, { type: "retry" }, granted({ id: "s2" }));
  assert.deepEqual(back.actions.at(-1).resume, { epoch: "e1", offset: 7 });
  assert.equal(back.actions[0].takeover, "never");
  const open = play(back.state, hello({ offset: 7 }), printed(5, ": root"));
  assert.equal(shown(open.actions), "root");
});

test("a resume overlapping in the middle of a frame shows nothing twice and loses nothing", () => {
  const whole = "0123456789".repeat(20);
  let state = opened();
  let seen = "";
  for (const [from, to] of [[0, 30], [10, 45], [45, 46], [20, 120], [0, 200]]) {
    const step = play(state, printed(from, whole.slice(from, to)));
    state = step.state;
    seen += shown(step.actions);
  }
  assert.equal(seen, whole);
});

test("waiting grows from try to try, is spread by chance, and a success resets it", () => {
  let state = opened();
  const waits = [];
  for (let attempt = 0; attempt < RETRY_SECONDS.length + 1; attempt += 1) {
    const step = play(state, closed(1006));
    waits.push(step.actions.at(-1).milliseconds / 1000);
    state = play(step.state, { type: "retry" }, granted()).state;
  }
  assert.deepEqual(waits, [...RETRY_SECONDS, RETRY_SECONDS.at(-1)]);
  assert.equal(play(state, hello()).state.attempt, 0);
  const spread = play(opened(), { ...closed(1006), chance: 1 });
  assert.equal(spread.actions.at(-1).milliseconds, 1250);
});

for (const code of [1000, 4001, 4002, 4003, 4004, 4005, 4008, 4010, 4012, 4400]) {
  test(`close ${code} never reconnects by itself`, () => {
    const { state, actions } = play(opened(), closed(code));
    assert.deepEqual(actions, []);
    assert.equal(state.phase, code === 4001 ? "displaced" : "ended");
  });
}

for (const code of [1001, 1006, 1011, 4006, 4007, 4401]) {
  test(`close ${code} is tried again after a wait`, () => {
    const { state, actions } = play(opened(), closed(code));
    assert.deepEqual(did(actions), ["wait"]);
    assert.equal(state.phase, "waiting");
  });
}

test("a relay being replaced is left at once, and only once without a wait", () => {
  const first = play(opened(), closed(4009));
  assert.deepEqual(did(first.actions), ["request"]);
  const second = play(first.state, granted(), closed(4009));
  assert.deepEqual(did(second.actions), ["dial", "wait"]);
});

test("until the next relay answers, the relay is being replaced and nothing else is wrong", () => {
  const left = play(opened(), closed(4009), granted(), closed(1006));
  assert.match(stateWords(left.state, NOW).text, /^The relay is being replaced, trying again/);
  const back = play(left.state, { type: "retry" }, granted(), hello({ epoch: "e2" }), closed(1006));
  assert.match(stateWords(back.state, NOW).text, /^Connection lost/);
});

test("who displaced us, and when, is kept from the relay's last words", () => {
  const { state } = play(opened(), { type: "bye", code: "SessionSuperseded", message: "", by: GRACE }, closed(4001));
  assert.equal(state.phase, "displaced");
  assert.deepEqual(state.end.by, GRACE);
  assert.equal(state.end.at, NOW);
});

test("after a takeover, watching goes on at the byte where writing stopped", () => {
  const displaced = play(opened(), printed(0, "abc"), closed(4001)).state;
  const { actions } = play(displaced, connect({ mode: "watch" }), granted({ mode: "watch" }));
  assert.equal(actions[0].mode, "watch");
  assert.deepEqual(actions[1].resume, { epoch: "e1", offset: 3 });
});

test("a console that never opened is given up after a few tries", () => {
  let state = play(begin(), connect()).state;
  let tries = 0;
  while (state.phase === "requesting") {
    state = play(state, granted(), closed(1006)).state;
    tries += 1;
    if (state.phase === "waiting") state = play(state, { type: "retry" }).state;
  }
  assert.equal(state.phase, "ended");
  assert.equal(tries, FIRST_TRIES + 1);
});

test("a refusal that will not pass stops the tries", () => {
  const waiting = play(opened(), closed(1006)).state;
  const { state, actions } = play(waiting, { type: "retry" }, refused("VmPermissionDenied"));
  assert.equal(state.phase, "refused");
  assert.deepEqual(did(actions), ["request"]);
});

test("a refusal that passes is waited for at least as long as it says", () => {
  const { state, actions } = play(begin(), connect(), refused("VmProvisioning", { retryable: true, retryAfter: 15 }));
  assert.equal(state.phase, "waiting");
  assert.equal(actions.at(-1).milliseconds, 15_000);
});

test("a VM that is not running is waited for only by choice", () => {
  assert.equal(play(begin(), connect(), refused("VmNotRunning")).state.phase, "refused");
  assert.equal(play(begin(), connect({ patient: true }), refused("VmNotRunning")).state.phase, "waiting");
});

test("someone else who took the free console meanwhile is not displaced by a reconnect", () => {
  const waiting = play(opened(), closed(1006)).state;
  const { state } = play(waiting, { type: "retry" }, { ...refused("ConsoleInUse"), holder: GRACE });
  assert.equal(state.phase, "held");
});

test("a watcher's line stays up while the console is asked for, and stays when the holder refuses", () => {
  const watching = play(begin(), connect({ mode: "watch" }), granted({ mode: "watch" }), hello({ mode: "watch" })).state;
  const asking = play(watching, connect({ takeover: "ask" }), printed(0, "still here"));
  assert.equal(shown(asking.actions), "still here");
  const back = play(asking.state, refused("TakeoverRefused"));
  assert.equal(back.state.phase, "open");
  assert.equal(back.state.notices[0].code, "TakeoverRefused");
  const won = play(asking.state, granted());
  assert.deepEqual(did(won.actions), ["hangUp", "dial"]);
});

test("a watcher whose request was refused is still watching when the line is lost", () => {
  const watching = play(begin(), connect({ mode: "watch" }), granted({ mode: "watch" }), hello({ mode: "watch" })).state;
  const refusedOnce = play(watching, connect({ takeover: "force" }), refused("VmPermissionDenied")).state;
  const { actions } = play(refusedOnce, closed(1006), { type: "retry" });
  assert.equal(actions.at(-1).mode, "watch");
});

test("a line that falls while a request runs leaves the outcome to the request", () => {
  const { state } = play(opened(), connect({ mode: "watch" }), closed(1006));
  assert.equal(state.phase, "requesting");
  assert.equal(play(state, refused("Unreachable", { retryable: true })).state.phase, "waiting");
});

test("an answer that comes late belongs to nobody", () => {
  const asked = play(begin(), connect()).state;
  const left = play(asked, { type: "leave" }).state;
  const late = advance(left, { ...granted(), turn: asked.turn });
  assert.equal(late.state, left);
  assert.deepEqual(late.actions, []);
  const frame = advance(opened(), { ...printed(0, "old"), dial: 0 });
  assert.deepEqual(frame.actions, []);
});

test("a watcher's keys are not sent", () => {
  const watching = opened({ mode: "watch" });
  assert.deepEqual(play(watching, { type: "typed", bytes: text("x") }).actions, []);
});

test("typing clears the idle countdown and leaves the session's", () => {
  const { state } = play(opened(), { type: "limit", kind: "idle", secondsLeft: 60 }, { type: "limit", kind: "session", secondsLeft: 120 }, { type: "typed", bytes: text("x") });
  assert.deepEqual(state.limits, { session: NOW + 120_000 });
});

test("an ask is answered once with its own id", () => {
  const asked = play(opened(), { type: "ask", ask: "a1", by: GRACE, seconds: 30 }).state;
  assert.equal(asked.ask.until, NOW + 30_000);
  const { state, actions } = play(asked, { type: "answer", allow: false }, { type: "answer", allow: true });
  assert.deepEqual(actions, [{ do: "say", ask: "a1", allow: false }]);
  assert.equal(state.ask, null);
});

test("a new epoch or a gap is said, never hidden", () => {
  const waiting = play(opened(), printed(0, "abc"), closed(1006), { type: "retry" }, granted()).state;
  assert.deepEqual(did(play(waiting, hello({ epoch: "e2", offset: 50 })).actions), ["note"]);
  const gap = play(waiting, hello({ gap: true, offset: 10 }));
  assert.match(gap.actions[0].text, /7 bytes/);
  assert.equal(gap.state.next, 10);
});

test("disconnecting hangs up, ends the session, and is no fault", () => {
  const { state, actions } = play(opened(), { type: "leave" });
  assert.deepEqual(did(actions), ["giveUp", "hangUp", "end"]);
  assert.equal(state.end.code, "Goodbye");
});

test("a warning is shown once and can be dismissed", () => {
  const warning = { code: "PasswordLoginUnavailable", message: "m" };
  const { state } = play(opened(), { type: "warning", ...warning }, { type: "warning", ...warning });
  assert.equal(state.notices.length, 1);
  assert.deepEqual(play(state, { type: "dismiss", code: warning.code }).state.notices, []);
});

test("an illegal move raises and changes nothing", () => {
  const state = begin();
  assert.throws(() => advance(state, hello()), IllegalMove);
  assert.deepEqual(state, begin());
});

test("what was printed before is marked, so that the terminal answers no question of back then", () => {
  const { actions } = play(begin(), connect(), granted(), hello({ live: 5 }), printed(0, "login"), printed(5, ": "));
  assert.deepEqual(actions.filter(({ do: what }) => what === "show").map(({ replayed }) => replayed), [true, false]);
});

test("an act is told to everybody at the console, whoever did it", () => {
  const { state, actions } = play(opened({ mode: "watch" }), { type: "act", act: "reset", by: GRACE });
  assert.deepEqual(state.act, { act: "reset", by: GRACE, at: NOW });
  assert.deepEqual(actions, [{ do: "acted", act: "reset", by: GRACE }]);
});

test("a console that was switched off says by what, in the words of the relay's reason", () => {
  const off = play(opened(), { type: "bye", code: "ConsoleDisabledByPolicy", message: "The policy of resource group rg-web ...", by: GRACE }, closed(4012)).state;
  assert.equal(off.end.words, "Ended because a policy switched the console off");
  assert.equal(off.end.code, "ConsoleDisabledByPolicy");
  assert.deepEqual(off.end.by, GRACE);
  const silent = play(opened(), closed(4012)).state;
  assert.equal(silent.end.words, "The console was switched off here");
});

test("a request that waits for approval is not requested over and over", () => {
  const { state } = play(begin(), connect(), refused("ApprovalPending", { retryable: true, retryAfter: 5 }));
  assert.equal(state.phase, "refused");
});

test("a console that waits for approval says in its state how the request stands", () => {
  const waiting = play(begin(), connect(), refused("ApprovalRequired"), { type: "standing", words: "Waiting for approval", tone: "busy" });
  assert.deepEqual(waiting.actions.slice(1), []);
  const { text, tone } = stateWords(waiting.state, NOW);
  assert.deepEqual([text, tone], ["Waiting for approval", "busy"]);
  assert.equal(play(waiting.state, connect()).state.refusal, null);
});

test("who asks again for a console whose lock is away is told what is asked and for how long, and may stop", () => {
  const lock = refused("LockUnavailable", { retryable: true, retryAfter: 5 });
  const asking = play(begin(), connect());
  assert.equal(stateWords(asking.state, NOW + 1000).text, "Checking the VM, your rights and the lock of the console…");
  const { state } = play(asking.state, lock, { type: "retry", now: NOW + 5000 });
  const { text: said, steady } = stateWords(state, NOW + 5000 + 3500);
  assert.equal(said, "Asking for the lock of the console again… 3 s");
  assert.equal(steady, "Asking for the lock of the console again…", "a screen reader is not told every second");
  const { state: left, actions } = play(state, { type: "leave" });
  assert.equal(left.phase, "ended");
  assert.deepEqual(did(actions), ["giveUp", "hangUp"]);
});

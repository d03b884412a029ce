/**
 * One console session as a state machine: events in, next state and actions out. No socket, clock or DOM here.
 *
 *     idle -> requesting -> connecting -> open -> displaced | ended
 *                 |             |           |
 *                 v             +-----------+-> waiting -> requesting      (a lost connection is retried)
 *              held | refused
 *
 * `turn` numbers requests and `dial` numbers connections, so a late answer is ignored.
 * While a new request runs beside a connection that is still up (`live`), that connection goes on showing output.
 * Printed bytes carry their offset: bytes already shown are dropped, so a resume shows nothing twice.
 */

import { endWords } from "./refusal_words.js";
import { closeWords } from "./protocol.js";

/** Seconds between tries to reconnect; the last one repeats. */
export const RETRY_SECONDS = [1, 2, 4, 8, 15, 30];
/** Tries for a console that has never opened, before giving up. */
export const FIRST_TRIES = 5;
/** Tries for a console whose holder left during the request; the person need not choose anything. */
export const FREED_TRIES = 2;
const SPREAD = 0.25;

export class IllegalMove extends Error {}

export function begin() {
  return {
    phase: "idle", turn: 0, dial: 0, live: false, want: { mode: "write", takeover: "never" }, attempt: 0, patient: false,
    id: null, mode: null, epoch: null, next: 0, replayedTo: 0, everOpen: false, replacing: false, writer: null, watchers: 0, port: { state: "open" },
    limits: {}, ask: null, held: null, refusal: null, again: null, askedAt: null, end: null, retryAt: null, notices: [], act: null,
  };
}

/** Returns the next state and the actions to carry out. Throws IllegalMove for an event that this phase does not allow. */
export function advance(state, event) {
  if (isStale(state, event)) return stay(state);
  const move = MOVES[state.phase][event.type];
  if (!move) throw new IllegalMove(`${event.type} while ${state.phase}`);
  return move(state, event);
}

function isStale(state, event) {
  return (event.turn ?? state.turn) !== state.turn || (event.dial ?? state.dial) !== state.dial;
}

const stay = (state) => ({ state, actions: [] });
const go = (state, changes, ...actions) => ({ state: { ...state, ...changes }, actions });

// ---- requesting the console

/** Requests the console as the person chose: write or watch; by force, by asking, or only if it is free. */
function connect(state, { mode = "write", takeover = "never", patient = false, now = 0 }) {
  return request({ ...state, attempt: 0, want: { mode, takeover }, patient, ask: null }, { now });
}

/** Forgets the last refusal but its code, so that a person who waits again sees the reason and the time. */
function request(state, { now = 0 }) {
  const turn = state.turn + 1;
  const { mode, takeover } = state.want;
  const again = state.refusal?.code ?? null;
  return go(state, { phase: "requesting", turn, refusal: null, retryAt: null, again, askedAt: now }, { do: "request", turn, mode, takeover });
}

function granted(state, { answer }) {
  const dial = state.dial + 1;
  const resume = state.epoch ? { epoch: state.epoch, offset: state.next } : null;
  const notices = addNotices(state.notices, answer.warnings ?? []);
  const changes = { phase: "connecting", dial, live: false, id: answer.id, mode: answer.mode, notices, held: null, end: null };
  const old = state.live ? [{ do: "hangUp" }] : [];
  return go(state, changes, ...old, { do: "dial", dial, relay: answer.relay, token: answer.token, resume });
}

/** `holder`: who has the console; null if the console is free by now; undefined if unknown. */
function refused(state, { error, holder, now = 0, chance = 0 }) {
  if (state.live) {
    return go(state, { phase: "open", want: asBefore(state.mode), notices: addNotices(state.notices, [error]) });
  }
  if (error.code === "ConsoleInUse" || error.code === "TakeoverRefused") {
    const freed = holder === null && error.code === "ConsoleInUse";
    if (freed && state.attempt < FREED_TRIES) return wait({ ...state, refusal: error }, now, chance);
    return go(state, { phase: "held", refusal: error, held: holder ?? null });
  }
  if (mayTryAgain(state, error)) return wait({ ...state, refusal: error }, now, chance, error.retryAfter ?? 0);
  return go(state, { phase: "refused", refusal: error });
}

/** A pending approval is polled by itself (access/approval_controller.js), never by repeated requests. */
function mayTryAgain(state, error) {
  if (error.code === "ApprovalPending") return false;
  if (state.patient && error.code === "VmNotRunning") return true;
  return error.retryable && (state.everOpen || error.code === "VmProvisioning" || state.attempt < FIRST_TRIES);
}

// ---- an open connection

function hello(state, frame) {
  const goesOn = frame.epoch === state.epoch && !frame.gap;
  const lost = state.everOpen && !goesOn ? [{ do: "note", text: gapWords(state, frame) }] : [];
  const changes = {
    phase: "open", live: true, everOpen: true, attempt: 0, patient: false, mode: frame.mode, epoch: frame.epoch,
    next: goesOn ? state.next : frame.offset, replayedTo: frame.live ?? frame.offset, writer: frame.writer, watchers: frame.watchers,
    replacing: false, port: { state: "open" }, limits: {}, end: null, refusal: null, ask: null, kept: frame.typed,
    // From now on a lost connection is resumed in the same mode, and never displaces anybody.
    want: asBefore(frame.mode),
  };
  return go(state, changes, ...lost);
}

const asBefore = (mode) => ({ mode, takeover: "never" });

function gapWords(state, frame) {
  if (frame.epoch !== state.epoch) return "the relay opened the serial port anew; what was printed in between is in the transcript";
  return `${frame.offset - state.next} bytes are no longer kept here; they are in the transcript`;
}

function printed(state, { offset, bytes }) {
  const known = state.next - offset;
  if (known >= bytes.length) return stay(state);
  const fresh = known > 0 ? bytes.subarray(known) : bytes;
  return go(state, { next: offset + bytes.length }, { do: "show", bytes: fresh, replayed: offset < state.replayedTo });
}

/** Shows output from before this epoch. It has no offset, and its terminal queries are not answered. */
function before(state, { data }) {
  return go(state, {}, { do: "show", bytes: Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0)), replayed: true });
}

const people = (state, { writer, watchers }) => go(state, { writer, watchers });
const port = (state, frame) => go(state, { port: { state: frame.state, message: frame.message } });

function limit(state, { kind, secondsLeft, now = 0 }) {
  return go(state, { limits: { ...state.limits, [kind]: now + secondsLeft * 1000 } });
}

function askReceived(state, { ask, by, seconds, now = 0 }) {
  return go(state, { ask: { id: ask, by, until: now + seconds * 1000 } });
}

function answer(state, { allow }) {
  return state.ask ? go(state, { ask: null }, { do: "say", ask: state.ask.id, allow }) : stay(state);
}

function typed(state, { bytes }) {
  if (state.mode !== "write") return stay(state);
  const { idle: _, ...limits } = state.limits;
  return go(state, { limits }, { do: "send", bytes });
}

/** A command that somebody ran on the VM: noted in the terminal at this place. */
const acted = (state, { act, by, now = 0 }) => go(state, { act: { act, by, at: now } }, { do: "acted", act, by });

const warning = (state, frame) => go(state, { notices: addNotices(state.notices, [frame]) });
const dismiss = (state, { code }) => go(state, { notices: state.notices.filter((one) => one.code !== code) });
/** The relay's reason for ending; the close that follows decides the next state. */
const bye = (state, { code, message, by }) => go(state, { end: { code, message, by } });

function addNotices(notices, fresh) {
  const codes = new Set(fresh.map((one) => one.code));
  return [...notices.filter((one) => !codes.has(one.code)), ...fresh];
}

// ---- a connection that ended

function closed(state, { code, now = 0, chance = 0 }) {
  const close = closeOf(state, code);
  const end = { ...close, ...endWords(state.end?.code), ...known(state.end), again: close.again, at: now };
  const down = { ...state, live: false, replacing: close.code === "RelayDraining", ask: null, limits: {}, end };
  if (close.again === "now" && state.attempt === 0) return request({ ...down, attempt: 1 }, { now });
  if (close.again !== "choice") return mayDialAgain(state) ? wait(down, now, chance) : go(down, { phase: "ended" });
  return go(down, { phase: code === 4001 ? "displaced" : "ended" });
}

/** While a drained relay is being replaced, a failed connection counts as the same drain. */
function closeOf({ replacing }, code) {
  const close = closeWords(code);
  return replacing && close.code === "ConnectionLost" ? closeWords(4009) : close;
}

function known(end) {
  return Object.fromEntries(Object.entries(end ?? {}).filter(([key, value]) => value && ["code", "message", "by"].includes(key)));
}

const mayDialAgain = (state) => state.everOpen || state.attempt < FIRST_TRIES;

function wait(state, now, chance, atLeast = 0) {
  const step = RETRY_SECONDS[Math.min(state.attempt, RETRY_SECONDS.length - 1)];
  const milliseconds = Math.round(Math.max(step * (1 + SPREAD * chance), atLeast) * 1000);
  const turn = state.turn + 1;
  const changes = { phase: "waiting", turn, attempt: state.attempt + 1, retryAt: now + milliseconds };
  return go(state, changes, { do: "wait", turn, milliseconds });
}

function leave(state, { now = 0 }) {
  const end = { ...closeWords(1000), at: now };
  const changes = { phase: "ended", turn: state.turn + 1, dial: state.dial + 1, live: false, ask: null, limits: {}, end };
  const over = state.id ? [{ do: "end", id: state.id }] : [];
  return go(state, { ...changes, id: null }, { do: "giveUp" }, { do: "hangUp" }, ...over);
}

/** The state of the approval that this console waits for: `words` and `tone` for the status line. */
const standing = (state, { words, tone }) => go(state, { refusal: { ...state.refusal, standing: { words, tone } } });

/** The old connection was lost during a new request; the request's answer decides. */
const lineFell = (state) => go(state, { live: false });

const CHOICES = { connect, dismiss, leave };
/** Typed input is recorded in this way from now on. */
const keeping = (state, { typed: kept }) => go(state, { kept });

const LINE = { printed, before, people, port, keeping, limit, ask: askReceived, act: acted, warning, bye };
const MOVES = {
  idle: { connect, dismiss },
  requesting: { ...LINE, granted, refused, leave, dismiss, typed: stay, answer, closed: lineFell },
  connecting: { ...LINE, ...CHOICES, hello, closed, typed: stay },
  open: { ...LINE, ...CHOICES, answer, typed, closed },
  waiting: { ...CHOICES, retry: request, typed: stay },
  held: { ...CHOICES, typed: stay },
  displaced: { ...CHOICES, typed: stay },
  ended: { connect, dismiss, leave: stay, typed: stay },
  refused: { ...CHOICES, standing, typed: stay },
};

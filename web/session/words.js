/** The session's state in words, for the status line, the title and the live region. Pure; times are milliseconds since 1970. */

import { shortRefusal } from "./refusal_words.js";

export const clock = (at) => new Date(at).toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });

/** Formats milliseconds as `2:05` or `45 s`. */
export function countdown(milliseconds) {
  const seconds = Math.max(0, Math.ceil(milliseconds / 1000));
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")} min`;
}

/** `text` is shown; `steady` has no countdown and is for screen readers; `tone`: good, calm, busy, bad. */
export function stateWords(state, now, me = null) {
  const { text, steady = text, tone } = WORDS[state.phase](state, now, me);
  return { text, steady, tone };
}

const say = (text, tone, steady) => ({ text, tone, steady });

const WORDS = {
  idle: () => say("Not connected", "calm"),
  requesting: (state, now) => {
    const steady = requestWords(state);
    const seconds = Math.floor((now - state.askedAt) / 1000);
    return say(seconds < LONG_SECONDS ? steady : `${steady} ${seconds} s`, "busy", steady);
  },
  connecting: () => say("Connecting to the serial port…", "busy"),
  open: openWords,
  waiting: (state, now) => {
    const what = state.refusal ? shortRefusal(state.refusal) : lostWords(state);
    const left = Math.max(0, state.retryAt - now);
    return say(`${what}, trying again in ${countdown(left)}`, "busy", `${what}, trying again`);
  },
  held: ({ held, refusal }) => {
    if (refusal?.code === "TakeoverRefused") return say(`${held?.name ?? "The holder"} keeps the console`, "calm");
    return say(held ? `In use by ${held.name} since ${clock(sinceOf(held))}` : "In use by somebody else", "calm");
  },
  displaced: ({ end }, _now, me) => say(`Displaced by ${displacer(end, me)} at ${clock(end.at)}`, "bad"),
  ended: ({ end }) => say(end.words, end.code === "Goodbye" ? "calm" : "bad"),
  refused: ({ refusal }) => (refusal.standing ? say(refusal.standing.words, refusal.standing.tone) : say(shortRefusal(refusal), "bad")),
};

/** The wait after which a countdown is shown. */
const LONG_SECONDS = 2;

function requestWords({ want, live, held, again }) {
  if (want.takeover === "ask") return `Asking ${held?.name ?? "the holder"} for the console…`;
  if (again === "LockUnavailable") return "Asking for the lock of the console again…";
  return live ? "Requesting the console…" : "Checking the VM, your rights and the lock of the console…";
}

/** The person's own sessions displace each other: it was another window, not another person. */
export function displacer({ by }, me) {
  return by?.name === me ? "you, in another window" : (by?.name ?? "another session");
}

function openWords({ mode, writer, port }) {
  if (port.state === "lost") return say("Serial port lost · the relay is dialing the VM again", "busy");
  if (port.state === "paused") return say("Paused · the audit trail is slow, nothing is lost", "busy");
  if (mode === "write") return say("Connected · writing", "good");
  return say(writer ? `Watching · ${writer.name} is writing` : "Watching · nobody is writing", "good");
}

function lostWords({ everOpen, end }) {
  if (!everOpen && end?.code === "ConnectionLost") return "Could not connect";
  return end?.words ?? "Connection lost";
}

/** Converts the time since somebody holds the console (seconds or ISO) to milliseconds. */
export function sinceOf({ since }) {
  return typeof since === "number" ? since * 1000 : Date.parse(since);
}

/** Returns the limit that ends first in words, or null. */
export function limitWords(state, now) {
  const next = nextLimit(state, now);
  return next && limitSentence(next.kind, `in ${countdown(next.left)}`);
}

const HEARD_SECONDS = [15, 60, 120, 300, 600];

/** The same for screen readers: it changes a few times, not every second. Empty if no limit ends soon. */
export function heardLimit(state, now) {
  const next = nextLimit(state, now);
  const step = next && HEARD_SECONDS.find((seconds) => next.left <= seconds * 1000);
  if (!step) return "";
  return limitSentence(next.kind, step < 60 ? `within ${step} seconds` : `within ${step / 60} ${step === 60 ? "minute" : "minutes"}`);
}

function nextLimit({ limits }, now) {
  const left = Object.entries(limits).map(([kind, at]) => ({ kind, left: at - now })).filter((one) => one.left > 0);
  return left.sort((one, other) => one.left - other.left)[0] ?? null;
}

function limitSentence(kind, when) {
  return kind === "idle" ? `Ends ${when} unless you type` : `Session ends ${when}`;
}

/** Returns how many others watch; the writer is in the status line. */
export function peopleWords({ mode, watchers }) {
  if (mode !== "watch") return watchers > 0 ? counted(watchers) : "";
  return watchers > 1 ? `${counted(watchers - 1)} beside you` : "";
}

const counted = (watchers) => `${watchers} ${watchers === 1 ? "watcher" : "watchers"}`;

/** Returns the takeover question for screen readers. It must not be missed, because no answer counts as an answer. */
export const heardAsk = ({ ask }) => (ask ? `${ask.by.name} asks for the console; silence counts as yes. Ctrl+F6 leads to the answer` : "");

/** Returns how typed input is recorded, if more than its count is; people who type must know it. */
export function keptWords({ kept, mode }) {
  if (kept === "echoed") return mode === "write" ? "What you type is recorded where the VM echoes it" : "Typed lines are recorded";
  if (kept === "masked") return mode === "write" ? "What you type is recorded, passwords as asterisks" : "Typed lines are recorded";
  return "";
}

/** The panel over the terminal: what happened, in words, and what can be done about it. */

import { button, command, h } from "./dom.js";
import { shortRefusal } from "./refusal_words.js";
import { clock, countdown, displacer, sinceOf } from "./words.js";

/** The panel that this state calls for, or null. `act` has connect(wish), answer(allow), signIn(claims). */
export function panelFor(state, act, me) {
  if (state.ask) return askPanel(state.ask, act);
  return PANELS[state.phase]?.(state, act, me) ?? null;
}

/** Changes when another panel is due; ticks and output do not change it. */
export function panelKey({ ask, phase, turn }) {
  if (ask) return `ask ${ask.id}`;
  return phase in PANELS ? `${phase} ${turn}` : "";
}

const PANELS = { held: heldPanel, displaced: displacedPanel, ended: endedPanel, refused: refusedPanel };

function panel(testid, title, body, choices) {
  return h("section", { class: "panel", role: "alertdialog", tabIndex: -1, "aria-labelledby": "panel-title", "aria-describedby": "panel-body", data: { testid } },
    h("h2", { id: "panel-title" }, title),
    h("div", { id: "panel-body", class: "body" }, body),
    h("div", { class: "choices" }, choices));
}

const say = (text, more) => text && h("p", more, text);
const choice = (label, testid, click, kind = "") => button(label, click, { class: kind, data: { testid } });
const takeOver = { mode: "write", takeover: "force" };

/** Focus stays in the terminal: an Enter that was meant for the VM must not give the console away. */
function askPanel({ by, until }, act) {
  const left = h("span", { class: "number", data: { until } }, countdown(until - Date.now()));
  return panel("ask", `${by.name} asks for the console`,
    h("p", {}, "Allow, and you may go on watching. Silence counts as yes in ", left, "."),
    [choice("Allow", "allow", () => act.answer(true), "primary"), choice("Refuse", "refuse", () => act.answer(false))]);
}

function heldPanel({ held, refusal, want }, act) {
  const who = held?.name ?? "Somebody else";
  const since = held ? ` since ${clock(sinceOf(held))}` : "";
  const refusedBefore = refusal.code === "TakeoverRefused";
  return panel("in-use", refusedBefore ? `${who} keeps the console` : `${who} has the console${since}`,
    [say(held ? "" : refusal.message), say("Watching disturbs nobody. Taking over is at once: the other session ends, and its owner is told that it was you.")],
    [
      choice("Watch", "watch", () => act.connect({ mode: "watch" }), "primary"),
      want.takeover !== "ask" && choice("Ask for it", "ask-for-it", () => act.connect({ mode: "write", takeover: "ask" })),
      choice("Take over", "take-over", () => act.connect(takeOver), "danger"),
    ]);
}

function displacedPanel({ end }, act, me) {
  const who = displacer(end, me);
  const subject = who[0].toUpperCase() + who.slice(1);
  return panel("takeover-notice", `${subject} took the console at ${clock(end.at)}`,
    [say("What you typed before has reached the VM; nothing you type now does. Your view stops here until you choose.")],
    [choice("Watch", "watch", () => act.connect({ mode: "watch" }), "primary"), choice("Take it back", "take-back", () => act.connect(takeOver))]);
}

function endedPanel({ end, mode }, act) {
  const again = { mode: mode ?? "write", takeover: "never" };
  const other = mode === "watch" ? { label: "Write", mode: "write" } : { label: "Watch", mode: "watch" };
  const stopped = end.code === "VmStopped";
  return panel("ended", end.words, [say(ownWords(end)), say(end.fix), say(`At ${clock(end.at)}.`, { class: "quiet" })], [
    choice(stopped ? "Connect when it runs" : "Connect again", "connect", () => act.connect({ ...again, patient: stopped }), "primary"),
    choice(other.label, other.mode, () => act.connect({ mode: other.mode })),
  ]);
}

/** What the relay said beyond our own words for the close code. */
function ownWords({ message, by }) {
  return [by && `By ${by.name}.`, message].filter(Boolean).join(" ");
}

function refusedPanel({ refusal, want }, act) {
  return panel("refusal", shortRefusal(refusal), refusalBody(refusal), refusedChoices(refusal, want, act));
}

function refusalBody(refusal) {
  const short = shortRefusal(refusal);
  return [
    refusal.message !== short && say(refusal.message),
    say(refusal.fix),
    refusal.fixCommand && command(refusal.fixCommand),
    refusal.details?.length > 0 && h("ul", {}, refusal.details.map((other) => h("li", {}, other.message))),
    say([refusal.code, refusal.correlationId].filter(Boolean).join(" · "), { class: "quiet code" }),
  ];
}

function refusedChoices({ code, claims }, want, act) {
  if (code === "SignInRequired" || code === "MfaRequired") {
    return [choice("Sign in again", "sign-in-again", () => act.signIn(claims), "primary")];
  }
  const again = choice("Try again", "connect", () => act.connect(want), code === "VmNotRunning" ? "" : "primary");
  const wait = choice("Connect when it runs", "wait", () => act.connect({ ...want, patient: true }), "primary");
  return code === "VmNotRunning" ? [wait, again] : [again];
}

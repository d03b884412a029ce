/** The panel over the terminal: the state in words, and the person's choices. */

import { h } from "../ui/dom.js";
import { choice, panel, say } from "./panel_parts.js";
import { offerStart, refusedPanel } from "./refused_panel.js";
import { clock, countdown, displacer, sinceOf } from "./words.js";

/** Returns the panel for this state, or null. `act` has connect(wish), answer(allow), signIn(claims), checks(mode), start(), approval(wish). */
export function panelFor(state, act, me) {
  if (state.ask) return askPanel(state.ask, act);
  return PANELS[state.phase]?.(state, act, me) ?? null;
}

/** Returns a key that changes when another panel is needed; time and output do not change it. */
export function panelKey({ ask, phase, turn }) {
  if (ask) return `ask ${ask.id}`;
  return phase in PANELS ? `${phase} ${turn}` : "";
}

const PANELS = { held: heldPanel, displaced: displacedPanel, ended: endedPanel, refused: blockedPanel };
const APPROVALS = new Set(["ApprovalRequired", "ApprovalPending"]);

const takeOver = { mode: "write", takeover: "force" };

/** The focus stays in the terminal: an Enter meant for the VM must not give the console away. */
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
  const made = panel("ended", end.words, [say(ownWords(end)), say(end.fix), say(`At ${clock(end.at)}.`, { class: "quiet" })], [
    choice(againWords(mode, stopped), "connect", () => act.connect({ ...again, patient: stopped }), "primary"),
    !stopped && choice(other.label, other.mode, () => act.connect({ mode: other.mode })),
  ]);
  if (stopped) offerToStart(made, act);
  return made;
}

function againWords(mode, stopped) {
  if (stopped) return "Connect when it runs";
  return mode === "watch" ? "Watch again" : "Connect again";
}

/** Offers to start the VM, if its status shows that this person may. */
async function offerToStart(made, act) {
  const status = await act.checks("write").catch(() => null);
  if (status && made.isConnected) offerStart(made.querySelector(".choices"), status, act);
}

/** Returns the relay's message if it differs from the page's words for the close code. */
function ownWords({ words, message, by }) {
  const more = message && !words.toLowerCase().includes(message.toLowerCase().replace(/\.$/, ""));
  return [by && `By ${by.name}.`, more && message].filter(Boolean).join(" ");
}

/** The panel for a missing approval; `act.approval` makes the view that requests it and waits. */
function blockedPanel(state, act) {
  if (!APPROVALS.has(state.refusal.code)) return refusedPanel(state, act);
  const { mode } = state.want;
  const watch = mode !== "watch" && choice("Watch", "watch", () => act.connect({ mode: "watch" }));
  const made = panel("approval-panel", "", [], []);
  const wait = act.approval({ right: mode, title: made.querySelector("h2"), pending: state.refusal.code === "ApprovalPending", approved: () => act.connect(state.want), more: watch ? [watch] : [] });
  made.replaceChildren(made.querySelector("h2"), wait.element);
  wait.element.id = "panel-body";
  return made;
}

/** The panel of a refused console: the first reason at once, then every check of the VM. */

import { checkList, refusalBody, refusalName, refusalReasons } from "./check_list.js";
import { holds, offersWatch, sorted } from "./checks.js";
import { h } from "../ui/dom.js";
import { choice, panel } from "./panel_parts.js";
import { shortRefusal } from "./refusal_words.js";

/** Codes that do not concern the VM. */
const NOT_OF_THE_VM = new Set(["SignInRequired", "Unreachable", "TooManyRequests", "VmNotFound", "ReasonRequired", "InternalError", "NotFound", "ServiceBusy", "StepUpInVain"]);

/** `act` has connect(wish), signIn(claims), checks(mode), start(). */
export function refusedPanel({ refusal, want }, act) {
  const made = panel("refusal", shortRefusal(refusal), refusalBody(refusal), choicesFor(refusal, want, act));
  if (!NOT_OF_THE_VM.has(refusal.code)) explain(made, { refusal, want }, act);
  return made;
}

/** Adds every check when it is loaded; if the call fails, the panel stays as it is. */
async function explain(made, { refusal, want }, act) {
  const status = await act.checks(want.mode).catch(() => null);
  if (!status || !made.isConnected) return;
  const { refused } = sorted(status);
  const own = refused.some((one) => one.code === refusal.code) ? [] : refusalReasons(refusal);
  made.querySelector(".body").replaceChildren(...own, checkList(status), refusalName(refusal));
  const title = made.querySelector("h2");
  title.setAttribute("aria-live", "polite");
  if (refused.length > 1) title.textContent = `${refused.length} things stand in the way`;
  offerMore(made.querySelector(".choices"), status, { refusal, want }, act);
}

function offerMore(choices, status, { refusal, want }, act) {
  if (offersWatch(status, want.mode)) {
    for (const one of choices.children) one.classList.remove("primary");
    choices.prepend(choice("Watch", "watch", () => act.connect({ mode: "watch" }), "primary"));
  }
  if (refusal.code === "VmNotRunning") offerStart(choices, status, act);
}

/** Shown to people who may start the VM. */
export function offerStart(choices, status, act) {
  if (holds(status, "power")) choices.append(choice("Start the VM…", "start", () => act.start()));
}

function choicesFor({ code, claims }, want, act) {
  const signIn = choice("Sign in again", "sign-in-again", () => act.signIn(claims), "primary");
  if (code === "SignInRequired" || code === "MfaRequired") return [signIn];
  if (code === "ReasonRequired") return [choice("Give a reason", "connect", () => act.connect(want), "primary")];
  if (code === "NotFound") return [choice("Reload the page", "reload", () => location.reload(), "primary")];
  const again = choice(NOT_OF_THE_VM.has(code) ? "Try again" : "Check again", "connect", () => act.connect(want), code === "VmNotRunning" ? "" : "primary");
  const wait = choice("Connect when it runs", "wait", () => act.connect({ ...want, patient: true }), "primary");
  return code === "VmNotRunning" ? [wait, again] : [again];
}

/** Returns a refusal as a dialog's body. */
export const refusalView = (refusal) => h("div", { class: "body" }, refusalBody(refusal));

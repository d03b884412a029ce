/** Runs a command on the VM: confirms it, shows its progress, and gives a reason or waits for approval if a policy demands it. */

import { doAct } from "./access_api.js";
import { confirmAct } from "./command_dialog.js";
import { ACTS, begunWords } from "./commands.js";
import { ApiError } from "../ui/api_error.js";
import { ApprovalWait } from "./approval_wait.js";
import { ask, modal } from "../ui/dialog.js";
import { button } from "../ui/dom.js";
import { withReason } from "./reason.js";
import { reasonSource } from "./reason_dialog.js";
import { shortRefusal } from "../session/refusal_words.js";
import { refusalView } from "../session/refused_panel.js";

const APPROVALS = new Set(["ApprovalRequired", "ApprovalPending"]);

export class CommandController {
  #api;
  #path;
  #name;
  #memory;
  #approvals;
  #say;
  #signIn;
  #busy = false;
  /** The last command that the console reported; its message is better than "has begun". */
  #reported = null;
  #gone = new AbortController();

  /** `say(text, tone)` shows the progress; `signIn(claims)` starts a stronger sign-in. */
  constructor({ api, path, name, memory, approvals, say, signIn }) {
    this.#api = api;
    this.#path = path;
    this.#name = name;
    this.#memory = memory;
    this.#approvals = approvals;
    this.#say = say;
    this.#signIn = signIn;
  }

  /** Notes that the console has reported a command. */
  reported({ act }) {
    this.#reported = act;
  }

  dispose() {
    this.#gone.abort();
  }

  /** Runs a command. Resolves to true if it has begun. */
  async run(act) {
    if (this.#busy) return false;
    this.#busy = true;
    try {
      const details = await confirmAct(act, this.#name, this.#gone.signal);
      return details !== null && (await this.#send(act, details));
    } finally {
      this.#busy = false;
    }
  }

  async #send(act, details) {
    const { doing, name, right } = ACTS[act];
    this.#reported = null;
    this.#say(`${doing} ${this.#name}…`, "busy");
    try {
      const { signal } = this.#gone;
      await withReason((reason) => doAct(this.#api, this.#path, act, { ...details, ...(reason && { reason }) }), reasonSource(this.#memory, signal));
      if (this.#reported !== act) this.#say(begunWords(act, this.#name), "good");
      return true;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.#say(`${name} was refused: ${shortRefusal(error)}`, "bad");
      if (error.code === "ReasonRequired" || this.#gone.signal.aborted) return false;
      if (APPROVALS.has(error.code)) return (await this.#approved(act, right)) && this.#send(act, details);
      await this.#explain(error);
      return false;
    }
  }

  async #explain(error) {
    const strong = error.code === "MfaRequired" || error.code === "SignInRequired";
    const choices = [{ label: "Close", value: false }, ...(strong ? [{ label: "Sign in again", value: true, kind: "primary" }] : [])];
    if (await ask(shortRefusal(error), refusalView(error), choices, this.#gone.signal)) this.#signIn(error.claims);
  }

  /** Waits for the approval in a dialog. The command needs another confirmation, because much time may have passed. */
  async #approved(act, right) {
    let wait;
    const done = await modal(" ", this.#gone.signal, (finish) => {
      const close = button("Close", () => finish(false));
      const go = button(`${ACTS[act].verb} now`, () => finish(true), { class: ACTS[act].danger ? "danger" : "primary", hidden: true, data: { testid: "act-now" } });
      queueMicrotask(() => {
        const title = go.closest("dialog").querySelector("h2");
        wait = new ApprovalWait({ approvals: this.#approvals, right, title, approved: () => (go.hidden = false), more: [close, go] });
        place.replaceWith(wait.element);
        wait.element.focus();
      });
      const place = document.createElement("div");
      place.append(close, go);
      return place;
    });
    wait?.dispose();
    return done === true;
  }
}

/** Does something to the VM: asks first, says how it goes, gives reasons and waits for approval where a policy wants them. */

import { doAct } from "./access_api.js";
import { confirmAct } from "./command_dialog.js";
import { ACTS, begunWords } from "./commands.js";
import { ApiError } from "../ui/api_error.js";
import { ApprovalWait } from "./approval_wait.js";
import { ask, modal } from "../ui/dialog.js";
import { button } from "../ui/dom.js";
import { withReason } from "./reason.js";
import { reasonWish } from "./reason_dialog.js";
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
  /** What the console told of last: it knows more than that something has begun. */
  #told = null;
  #gone = new AbortController();

  /** `say(text, tone)` shows how it goes; `signIn(claims)` leaves for a stronger sign-in. */
  constructor({ api, path, name, memory, approvals, say, signIn }) {
    this.#api = api;
    this.#path = path;
    this.#name = name;
    this.#memory = memory;
    this.#approvals = approvals;
    this.#say = say;
    this.#signIn = signIn;
  }

  /** Somebody did something: the console has said so. */
  told({ act }) {
    this.#told = act;
  }

  dispose() {
    this.#gone.abort();
  }

  /** True when it has begun. */
  async run(act) {
    if (this.#busy) return false;
    this.#busy = true;
    try {
      const wish = await confirmAct(act, this.#name, this.#gone.signal);
      return wish !== null && (await this.#send(act, wish));
    } finally {
      this.#busy = false;
    }
  }

  async #send(act, wish) {
    const { doing, name, right } = ACTS[act];
    this.#told = null;
    this.#say(`${doing} ${this.#name}…`, "busy");
    try {
      const { signal } = this.#gone;
      await withReason((reason) => doAct(this.#api, this.#path, act, { ...wish, ...(reason && { reason }) }), reasonWish(this.#memory, signal));
      if (this.#told !== act) this.#say(begunWords(act, this.#name), "good");
      return true;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.#say(`${name} was refused: ${shortRefusal(error)}`, "bad");
      if (error.code === "ReasonRequired" || this.#gone.signal.aborted) return false;
      if (APPROVALS.has(error.code)) return (await this.#approved(act, right)) && this.#send(act, wish);
      await this.#explain(error);
      return false;
    }
  }

  async #explain(error) {
    const strong = error.code === "MfaRequired" || error.code === "SignInRequired";
    const choices = [{ label: "Close", value: false }, ...(strong ? [{ label: "Sign in again", value: true, kind: "primary" }] : [])];
    if (await ask(shortRefusal(error), refusalView(error), choices, this.#gone.signal)) this.#signIn(error.claims);
  }

  /** Waits in a dialog; the act is done only on another yes, for it may be much later. */
  async #approved(act, right) {
    let wait;
    const done = await modal(" ", this.#gone.signal, (finish) => {
      const close = button("Close", () => finish(false));
      const go = button(`${ACTS[act].verb} now`, () => finish(true), { class: ACTS[act].danger ? "danger" : "primary", hidden: true, data: { testid: "act-now" } });
      queueMicrotask(() => {
        const title = go.closest("dialog").querySelector("h2");
        wait = new ApprovalWait({ desk: this.#approvals, right, title, approved: () => (go.hidden = false), more: [close, go] });
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

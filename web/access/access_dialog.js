/** The dialog that shows who is connected to a console, and the state of every check of its VM. */

import { readChecks, readSessions } from "./access_api.js";
import { ApiError } from "../ui/api_error.js";
import { checkList, refusalBody } from "../session/check_list.js";
import { holds, summary } from "../session/checks.js";
import { ask } from "../ui/dialog.js";
import { busy, button, h, setText } from "../ui/dom.js";
import { clock } from "../session/words.js";

const STATES = { requested: "connecting", attached: "connected", ended: "ended" };

/** `own` is the id of this window's session; `name` the VM's. */
export class AccessDialog {
  #api;
  #path;
  #name;
  #me;
  #own;
  #mode;
  #signal;
  #status = h("p", { class: "heard", role: "status" });
  #body = h("div", { class: "access" }, h("p", { class: "quiet" }, "Checking…"));

  constructor({ api, path, name, me, own, mode }) {
    this.#api = api;
    this.#path = path;
    this.#name = name;
    this.#me = me;
    this.#own = own;
    this.#mode = mode;
  }

  /** Shows the dialog until it is closed or `signal` aborts. */
  show(signal) {
    this.#signal = signal;
    this.#load();
    return ask(`Access to ${this.#name}`, h("div", { data: { testid: "access" } }, this.#status, this.#body), [{ label: "Close", value: true }], signal);
  }

  async #load() {
    const [status, sessions] = await Promise.all([refusalOr(readChecks(this.#api, this.#path, this.#mode)), refusalOr(readSessions(this.#api, this.#path))]);
    const again = button("Check again", () => busy(again, () => {
      setText(again, "Checking…");
      return this.#load();
    }), { class: "small", data: { testid: "check-again" } });
    const focused = this.#body.contains(document.activeElement);
    this.#body.replaceChildren(h("h3", {}, "Connected"), this.#people(sessions, status), h("div", { class: "head" }, h("h3", {}, "Checks"), again),
      ...(status instanceof ApiError ? refusalBody(status).filter(Boolean) : [checkList(status)]));
    if (focused) again.focus();
    setText(this.#status, status instanceof ApiError ? status.message : summary(status));
  }

  #people(sessions, status) {
    if (sessions instanceof ApiError) return h("p", { class: "quiet" }, "Who is connected is shown to those who may type here.");
    const live = sessions.filter((one) => one.state !== "ended");
    if (live.length === 0) return h("p", { class: "quiet" }, "Nobody is connected.");
    const administers = !(status instanceof ApiError) && holds(status, "administer");
    return h("ul", { class: "sessions", role: "list" }, live.map((one) => this.#session(one, administers)));
  }

  #session(one, administers) {
    const here = one.id === this.#own;
    const details = [one.mode === "write" ? "writing" : "watching", one.state !== "attached" && STATES[one.state], `since ${clock(Date.parse(one.requestedAt))}`, here && "this window"].filter(Boolean).join(" · ");
    const may = !here && (administers || one.user.name === this.#me);
    return h("li", { data: { testid: "session", user: one.user.name } }, h("strong", {}, one.user.name), h("span", { class: "quiet" }, details),
      may && button("End…", () => this.#end(one), { class: "small danger", "aria-label": `End the session of ${one.user.name}`, data: { testid: "end-session" } }));
  }

  async #end({ id, user, mode }) {
    const body = h("p", {}, `${user.name} is ${mode === "write" ? "writing" : "watching"}. Their console closes at once and says that it was you; the VM goes on.`);
    const agreed = await ask(`End the session of ${user.name}?`, body, [{ label: "Cancel", value: false }, { label: "End the session", value: true, kind: "danger", testid: "confirm-end" }], this.#signal);
    if (!agreed) return;
    const answer = await refusalOr(this.#api.endSession(this.#path, id));
    if (answer instanceof ApiError) await ask("The session was not ended", h("div", { class: "body" }, refusalBody(answer)), [{ label: "Close", value: true }], this.#signal);
    await this.#load();
  }
}

/** Resolves to the answer, or to the refusal as a value. */
async function refusalOr(call) {
  try {
    return await call;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return error;
  }
}

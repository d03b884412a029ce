/** The page of approvals: those that the person may decide, and the person's own that wait. */

import { decide, readApprovals } from "./access_api.js";
import { ApiError } from "../ui/api_error.js";
import { forWords, inOrder, when } from "./approval.js";
import { announce, busy, button, h } from "../ui/dom.js";
import { failureView } from "../ui/failure.js";
import { whileSeen } from "../ui/poll.js";
import { messageWords, shortRefusal } from "../session/refusal_words.js";
import { consoleRoute } from "../ui/route.js";

export const LOOK_MILLISECONDS = 10_000;
const LONGEST = 500;

export class ApprovalsView {
  #api;
  #auth;
  #stop = () => {};
  #rows = new Map();
  #list = h("ul", { class: "requests", role: "list" });
  #message = h("div", { class: "message" }, h("p", { class: "empty", role: "status" }, "Looking for requests…"));

  constructor({ api, auth }) {
    this.#api = api;
    this.#auth = auth;
  }

  mount(place) {
    document.title = "Requests for approval · Serial Console";
    place.replaceChildren(h("section", { class: "consoles approvals" },
      h("div", { class: "list-head" }, h("a", { class: "back", href: "#/", "aria-label": "All consoles" }, "‹"), h("h1", { tabIndex: -1 }, "Requests for approval")),
      this.#list, this.#message));
    place.querySelector("h1").focus();
    this.#stop = whileSeen(LOOK_MILLISECONDS, () => this.#look());
  }

  dispose() {
    this.#stop();
  }

  async #look() {
    try {
      this.#draw(inOrder(await readApprovals(this.#api)));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.#message.replaceChildren(failureView(error, this.#auth));
    }
  }

  /** Existing rows are not drawn again, because the person may be writing a comment. */
  #draw(approvals) {
    const due = new Map(approvals.map((one) => [one.id, one]));
    for (const [id, { element, settled }] of this.#rows) {
      if (due.has(id) || settled()) continue;
      element.remove();
      this.#rows.delete(id);
    }
    const fresh = approvals.filter((one) => !this.#rows.has(one.id));
    for (const one of fresh) this.#rows.set(one.id, this.#row(one));
    for (const one of fresh) this.#list.append(this.#rows.get(one.id).element);
    if (fresh.length > 0) announce(`${fresh.length} new ${fresh.length === 1 ? "request" : "requests"} for approval`);
    this.#message.replaceChildren(...(this.#rows.size > 0 ? [] : [h("p", { class: "empty" }, "Nothing waits for approval.")]));
  }

  #row(approval) {
    const now = Date.now();
    let decided = false;
    const result = h("p", { class: "result", role: "status", tabIndex: -1 });
    const element = h("li", { class: "request", data: { testid: "request", id: approval.id } },
      h("p", {}, h("strong", {}, approval.mine ? "You" : approval.askedBy.name), ` ${approval.mine ? "want" : "wants"} to ${forWords(approval)}`),
      h("p", { class: "reason" }, h("span", { class: "quiet" }, "Reason: "), approval.reason),
      h("p", { class: "quiet" }, `Asked at ${when(approval.askedAt, now)}, waits until ${when(approval.waitsUntil, now)}.`),
      approval.mine ? h("p", {}, "Waiting for somebody else. ", h("a", { href: consoleRoute(approval.vm) }, "Go to the console")) : null, result);
    if (!approval.mine) result.before(this.#decision(approval, { result, done: () => (decided = true) }));
    return { element, settled: () => decided };
  }

  #decision(approval, { result, done }) {
    const comment = h("input", { type: "text", class: "wide", maxLength: LONGEST, autocomplete: "off", data: { testid: "comment" } });
    const description = `${approval.askedBy.name}'s request to ${forWords(approval)}`;
    const one = (label, allow, kind) => button(label, () => settle(allow), { class: kind, "aria-label": `${label} ${description}`, data: { testid: label.toLowerCase() } });
    const buttons = [one("Approve", true, "primary"), one("Deny", false, "")];
    const settle = (allow) => busy(buttons[0], () => busy(buttons[1], async () => {
      if (await this.#settle(approval, allow, comment.value.trim(), result)) return;
      done();
      decision.remove();
      result.focus();
    }));
    const decision = h("div", { class: "decision" }, h("label", {}, "Comment (may be empty)", comment), h("div", { class: "choices" }, buttons));
    return decision;
  }

  /** Returns true if it failed and a retry may succeed. */
  async #settle(approval, allow, comment, result) {
    result.dataset.tone = "busy";
    result.textContent = "Sending…";
    try {
      await decide(this.#api, approval, allow, comment);
      result.dataset.tone = "good";
      result.textContent = allow ? `You approved. ${approval.askedBy.name} can go on.` : `You denied it. ${approval.askedBy.name} is told.`;
      return false;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      result.dataset.tone = "bad";
      result.textContent = `${shortRefusal(error)}. ${messageWords(error)}`;
      return error.code !== "ApprovalClosed" && error.code !== "ApprovalNotFound";
    }
  }
}

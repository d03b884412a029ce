/** The view of one approval: requests it, waits, and shows the outcome. Used in the panel and in a dialog. */

import { ApiError } from "../ui/api_error.js";
import { progress } from "./approval.js";
import { button, h } from "../ui/dom.js";
import { whileSeen } from "../ui/poll.js";
import { shortRefusal } from "../session/refusal_words.js";

const LOOK_MILLISECONDS = 3000;

export class ApprovalWait {
  #approvals;
  #right;
  #approved;
  #statusChanged;
  #more;
  #approval = null;
  #problem = null;
  #stop = () => {};
  #gone = new AbortController();
  #drawn = "";
  #title;
  #body = h("div", { class: "body", role: "status", data: { testid: "approval" } });
  #choices = h("div", { class: "choices" });
  element;

  /**
   * `approved()` is called once, when somebody approves; `more` are further buttons, `title` is the heading with the status.
   * `statusChanged({words, tone})` gets the same status; `pending`: the service has just answered that an approval waits.
   */
  constructor({ approvals, right, approved, title, pending = false, statusChanged = () => {}, more = [] }) {
    this.#approvals = approvals;
    this.#right = right;
    this.#approved = approved;
    this.#statusChanged = statusChanged;
    this.#title = title;
    this.#more = more;
    this.element = h("div", { class: "approval", tabIndex: -1 }, this.#body, this.#choices);
    this.#draw();
    this.#begin(() => approvals.find(right), !pending);
  }

  dispose() {
    this.#gone.abort();
    this.#stop();
  }

  /** Finds the approval and shows it; `old`: it may be one that ended long ago. */
  async #begin(find, old = false) {
    const approval = await this.#attempt(find);
    if (this.#gone.signal.aborted || !approval) return;
    // An earlier approval that is no longer valid says nothing about this request.
    if (old && approval.state === "approved") return;
    this.#shown(approval);
    if (approval.state === "pending") this.#stop = whileSeen(LOOK_MILLISECONDS, () => this.#look());
  }

  async #look() {
    const approval = await this.#attempt(() => this.#approvals.look(this.#approval));
    if (approval && !this.#gone.signal.aborted) this.#shown(approval);
  }

  /** Resolves to the answer, or shows the problem and resolves to null. */
  async #attempt(call) {
    try {
      const answer = await call();
      this.#problem = null;
      return answer;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.#problem = error;
      this.#draw();
      return null;
    }
  }

  #shown(approval) {
    this.#approval = approval;
    this.#draw();
    const { over } = progress(approval, Date.now());
    if (!over) return;
    this.#stop();
    if (approval.state === "approved") this.#approved();
  }

  #draw() {
    if (this.#gone.signal.aborted) return;
    const { title, lines, tone, over } = this.#approval ? progress(this.#approval, Date.now()) : NOT_ASKED;
    const paragraphs = [...lines, this.#approval && !over && `Your reason: ${this.#approval.reason}`, this.#problem && `${shortRefusal(this.#problem)}. ${this.#problem.fix}`].filter(Boolean);
    const drawn = [title, ...paragraphs].join("\n");
    if (drawn === this.#drawn) return;
    this.#drawn = drawn;
    const focused = this.element.contains(document.activeElement);
    this.#title.textContent = title;
    this.#body.dataset.tone = tone;
    this.#body.replaceChildren(h("p", { class: "heard" }, title), ...paragraphs.map((line) => h("p", {}, line)));
    this.#choices.replaceChildren(...(over && this.#approval?.state !== "approved" ? [this.#ask()] : []), ...this.#more);
    if (this.#approval) this.#statusChanged({ words: title, tone });
    if (focused && !this.element.contains(document.activeElement)) this.element.focus();
  }

  #ask() {
    const again = this.#approval ? "Ask again" : "Ask for approval";
    return button(again, () => this.#begin(() => this.#approvals.ask(this.#right, this.#gone.signal)), { class: "primary", data: { testid: "ask-approval" } });
  }
}

const NOT_ASKED = {
  title: "Somebody else must approve this", tone: "calm", over: true,
  lines: ["A policy demands that somebody else says yes before you do this. Ask, and they find your request in their list."],
};

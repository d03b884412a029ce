/** The question for a reason, and what this tab remembers of the answer. */

import { fill } from "../ui/dialog.js";
import { h } from "../ui/dom.js";

const LONGEST = 500;

/** What withReason (access/reason.js) needs; `signal` takes an open question back. */
export function reasonWish(memory, signal) {
  return {
    reason: () => memory.recall("reason"),
    keep: (reason) => memory.keep("reason", reason),
    demand: (message, before) => askReason("A reason is needed", message, { before, label: "Go on", signal }),
  };
}

/** A reason, or null. It goes into the records with what is done. */
export function askReason(title, message, { before = "", label, signal }) {
  const field = h("input", { type: "text", class: "wide", required: true, maxLength: LONGEST, value: before, autofocus: true, autocomplete: "off", data: { testid: "reason" } });
  const body = h("div", { class: "fields" }, h("p", {}, message), h("label", {}, "Reason or ticket", field),
    h("p", { class: "quiet" }, "It is kept in the records. This tab remembers it for this console."));
  return fill(title, body, { label, signal, read: () => field.value.trim() });
}

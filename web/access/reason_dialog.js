/** The dialog that asks for a reason; this tab remembers the answer. */

import { fill } from "../ui/dialog.js";
import { h } from "../ui/dom.js";

const LONGEST = 500;

/** Returns the `reasons` of withReason (access/reason.js); `signal` closes an open dialog. */
export function reasonSource(memory, signal) {
  return {
    reason: () => memory.recall("reason"),
    remember: (reason) => memory.remember("reason", reason),
    demand: (message, before) => askReason("A reason is needed", message, { before, label: "Go on", signal }),
  };
}

/** Asks for a reason. Resolves to null if the person cancels. The reason is recorded with the action. */
export function askReason(title, message, { before = "", label, signal }) {
  const field = h("input", { type: "text", class: "wide", required: true, maxLength: LONGEST, value: before, autofocus: true, autocomplete: "off", data: { testid: "reason" } });
  const body = h("div", { class: "fields" }, h("p", {}, message), h("label", {}, "Reason or ticket", field),
    h("p", { class: "quiet" }, "It is kept in the records. This tab remembers it for this console."));
  return fill(title, body, { label, signal, read: () => field.value.trim() });
}

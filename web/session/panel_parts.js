/** The parts of every panel over the terminal. */

import { button, h } from "../ui/dom.js";

export function panel(testid, title, body, choices) {
  return h("section", { class: "panel", role: "alertdialog", tabIndex: -1, "aria-labelledby": "panel-title", "aria-describedby": "panel-body", data: { testid } },
    h("h2", { id: "panel-title" }, title),
    h("div", { id: "panel-body", class: "body" }, body),
    h("div", { class: "choices" }, choices));
}

export const say = (text, more) => text && h("p", more, text);

export const choice = (label, testid, click, kind = "") => button(label, click, { class: kind, data: { testid } });

/** The view of warnings, which refuse nothing and can be dismissed. */

import { button, command, h } from "./dom.js";

export function noteFor({ code, message, fix, fixCommand }, dismiss) {
  return h("div", { class: "note", role: "note", data: { testid: "warning", code } },
    h("div", {}, h("p", {}, message), fix && h("p", { class: "quiet" }, fix), fixCommand && command(fixCommand)),
    button("×", dismiss, { class: "small", title: "Dismiss", "aria-label": "Dismiss this warning" }));
}

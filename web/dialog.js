/** Questions that must be answered before anything goes on: the browser's own modal dialog. */

import { button, h } from "./dom.js";

/** Resolves to the `value` of the chosen button, or null for Escape. The first choice is the default. */
export function ask(title, body, choices) {
  const { promise, resolve } = Promise.withResolvers?.() ?? deferred();
  const buttons = choices.map(({ label, value, kind = "" }, at) =>
    button(label, () => finish(value), { class: kind, autofocus: at === 0 }));
  const dialog = h("dialog", { class: "dialog", "aria-labelledby": "dialog-title", on: { cancel: () => finish(null) } },
    h("h2", { id: "dialog-title" }, title), body, h("div", { class: "choices" }, buttons));
  const finish = (value) => {
    dialog.remove();
    resolve(value);
  };
  document.body.append(dialog);
  dialog.showModal();
  return promise;
}

function deferred() {
  let resolve;
  return { promise: new Promise((settle) => (resolve = settle)), resolve };
}

const KEYS = [
  ["Everywhere", [["?", "This list"], ["Alt+T", "Light, dark, or as the system has it"]]],
  ["Consoles", [["/", "Filter"], ["↑ ↓", "Move"], ["Enter", "Open"], ["R", "Refresh"]]],
  ["Terminal", [
    ["Ctrl+F6", "Leave the terminal (Tab belongs to the VM); also Ctrl+Shift+Esc where the system leaves it free"],
    ["Ctrl+Shift+C / V", "Copy, paste"], ["Ctrl+Shift+F", "Search"],
    ["Shift+PgUp / PgDn", "Scroll"], ["Ctrl+Shift+ + / −", "Font size"]]],
];

export function showKeys() {
  const body = h("div", { class: "keys" }, KEYS.map(([where, keys]) =>
    h("section", {}, h("h3", {}, where), h("dl", {}, keys.map(([key, does]) => [h("dt", {}, h("kbd", {}, key)), h("dd", {}, does)]).flat()))));
  return ask("Keyboard", body, [{ label: "Close", value: true }]);
}

/** Questions that block the page until they are answered, in the browser's own modal dialog. */

import { button, h } from "./dom.js";

/** Resolves to the `value` of the chosen button, or null for Escape. The first choice is the default. `signal` closes it. */
export function ask(title, body, choices, signal) {
  return modal(title, signal, (finish) => [body, h("div", { class: "choices" }, choices.map(({ label, value, kind = "", testid }, at) =>
    button(label, () => finish(value), { class: kind, autofocus: at === 0, data: testid ? { testid } : {} })))]);
}

/** Shows a form. Resolves to the result of `read()`, or null for Cancel and Escape. */
export function fill(title, body, { label, kind = "primary", read, signal }) {
  return modal(title, signal, (finish) => {
    const send = (event) => {
      event.preventDefault();
      finish(read());
    };
    const sent = h("button", { type: "submit", class: kind, data: { testid: "send" } }, label);
    return [h("form", { on: { submit: send } }, body, h("div", { class: "choices" }, sent, button("Cancel", () => finish(null))))];
  });
}

let opened = 0;

/** `content(finish)` makes the dialog's content. The focus returns afterwards to the element that had it. */
export function modal(title, signal, content) {
  const { promise, resolve } = Promise.withResolvers?.() ?? deferred();
  if (signal?.aborted) return Promise.resolve(null);
  const id = `dialog-title-${(opened += 1)}`;
  const finish = (value) => {
    dialog.close();
    dialog.remove();
    resolve(value);
  };
  const dialog = h("dialog", { class: "dialog", "aria-labelledby": id, on: { cancel: () => finish(null) } }, h("h2", { id }, title), content(finish));
  signal?.addEventListener("abort", () => dialog.isConnected && finish(null));
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

/** The confirmation of a command on a VM: it explains the effect on the guest and prevents accidents. */

import { ACTS, keysAreValid, SYSRQ, sysrqWords } from "./commands.js";
import { ask, fill } from "../ui/dialog.js";
import { h } from "../ui/dom.js";

/** Resolves to the request's body (`{}`, for SysRq `{keys}`), or to null if the person cancels. */
export function confirmAct(name, vm, signal) {
  return name === "sysrq" ? confirmSysrq(vm, signal) : confirmPlain(name, vm, signal);
}

async function confirmPlain(name, vm, signal) {
  const { verb, does, danger, gentle, line } = ACTS[name];
  const go = { label: `${verb}${name === "nmi" ? ` to ${vm}` : ` ${vm}`}`, value: true, kind: danger ? "danger" : "primary", testid: "confirm-act" };
  const stop = { label: "Cancel", value: false };
  // Enter chooses the harmless button.
  const choices = gentle ? [go, stop] : [stop, go];
  return (await ask(`${verb} ${name === "nmi" ? "to " : ""}${vm}?`, description(does, line), choices, signal)) ? {} : null;
}

const description = (does, line) => h("div", { class: "fields" }, h("p", {}, does), h("p", { class: "quiet" }, line
  ? "It goes down the line of the open console. Everybody connected reads that it was you."
  : "Everybody connected reads that it was you."));

/** Enter sends harmless keys only; harmful ones need a click on the button. */
function enterIsNoYes(event, keys) {
  if (event.key !== "Enter" || !sysrqWords(keys.value).danger) return;
  event.preventDefault();
  keys.form.querySelector("[type=submit]").focus();
}

async function confirmSysrq(vm, signal) {
  const { does, danger } = ACTS.sysrq;
  const keys = h("input", { type: "text", class: "short", required: true, pattern: "[A-Za-z0-9]{1,16}", maxLength: 16, autocomplete: "off", autocapitalize: "none", spellcheck: false, autofocus: true,
    title: "1 to 16 letters and digits", data: { testid: "sysrq-keys" } });
  const meaning = h("ol", { class: "meaning", "aria-live": "polite", "aria-label": "What these keys do" });
  const explain = () => meaning.replaceChildren(...sysrqWords(keys.value).lines.map((line) => h("li", {}, line)));
  const add = (key) => {
    keys.value = (keys.value + key).slice(0, keys.maxLength);
    explain();
    keys.focus();
  };
  keys.addEventListener("input", explain);
  keys.addEventListener("keydown", (event) => enterIsNoYes(event, keys));
  const letters = h("ul", { class: "letters", "aria-label": "Usual keys" }, SYSRQ.map(({ key, does: what, danger: bad }) =>
    h("li", {}, h("button", { type: "button", class: bad ? "danger" : "", on: { click: () => add(key) }, "aria-label": `Add ${key}. ${what}` }, h("kbd", {}, key)), h("span", {}, what))));
  const body = h("div", { class: "fields" }, h("p", {}, does), letters, h("label", {}, "Keys, sent in this order", keys), meaning,
    h("p", { class: "quiet" }, "For a restart that loses least: s, u, b. It goes down the line of the open console; everybody connected reads that it was you."));
  const given = await fill(`Send SysRq to ${vm}?`, body, { label: "Send", kind: danger ? "danger" : "primary", signal, read: () => keys.value });
  return given && keysAreValid(given) ? { keys: given } : null;
}

/** The menu of commands that the person may run on the VM, as a menu button for assistive technology. */

import { ACTS, actsFor } from "./commands.js";
import { button, h } from "../ui/dom.js";

/** `run(act)` is called for the chosen command. `show(rights)` sets the entries; without entries there is no button. */
export class CommandsMenu {
  #run;
  #menu = h("div", { class: "menu", role: "menu", id: "vm-menu", popover: "auto", "aria-label": "What to do to the VM", on: { keydown: (event) => this.#keys(event), toggle: (event) => this.#toggled(event) } });
  #button = h("button", { type: "button", "aria-haspopup": "menu", "aria-expanded": "false", "aria-controls": "vm-menu", "aria-label": "VM: restart and more", data: { testid: "vm-menu" } }, "VM ▾");
  element = h("span", { hidden: true }, this.#button, this.#menu);

  constructor(run) {
    this.#run = run;
    this.#button.popoverTargetElement = this.#menu;
    this.#button.popoverTargetAction = "toggle";
    this.#button.addEventListener("keydown", (event) => this.#fromButton(event));
  }

  show(rights) {
    const acts = actsFor(rights);
    this.element.hidden = acts.length === 0;
    this.#menu.replaceChildren(...acts.flatMap((name, at) => {
      const apart = at > 0 && ACTS[name].danger && !ACTS[acts[at - 1]].danger;
      return apart ? [h("hr", { role: "separator" }), this.#item(name)] : [this.#item(name)];
    }));
  }

  close() {
    if (this.#menu.matches(":popover-open")) this.#menu.hidePopover();
  }

  #item(name) {
    const choose = () => {
      this.close();
      this.#run(name);
    };
    return button(`${ACTS[name].name}…`, choose, { role: "menuitem", tabIndex: -1, data: { testid: `act-${name}` } });
  }

  #toggled({ newState }) {
    const open = newState === "open";
    this.#button.setAttribute("aria-expanded", String(open));
    if (!open) return;
    const { left, bottom } = this.#button.getBoundingClientRect();
    this.#menu.style.left = `${Math.max(8, Math.min(left, innerWidth - this.#menu.offsetWidth - 8))}px`;
    this.#menu.style.top = `${bottom + 4}px`;
    this.#items[0]?.focus();
  }

  get #items() {
    return [...this.#menu.querySelectorAll("[role=menuitem]")];
  }

  #fromButton(event) {
    if (event.key !== "ArrowDown") return;
    event.preventDefault();
    this.#menu.showPopover();
  }

  #keys(event) {
    const items = this.#items;
    const at = items.indexOf(document.activeElement);
    const next = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[event.key];
    if (event.key === "Tab") this.close();
    if (next === undefined) return;
    event.preventDefault();
    items[(next + items.length) % items.length].focus();
  }
}

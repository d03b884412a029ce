/** The bar that finds text in the scrollback. */

import { button, h, setText } from "../ui/dom.js";

export class SearchBar {
  #screen;
  #input = h("input", { type: "search", "aria-label": "Find in the console", placeholder: "Find", spellcheck: false, autocomplete: "off" });
  #count = h("output", { class: "number" });
  element;

  constructor(screen) {
    this.#screen = screen;
    this.element = h("form", { class: "search", role: "search", hidden: true, on: { submit: (event) => event.preventDefault(), keydown: (event) => this.#key(event) } },
      this.#input, this.#count,
      button("↑", () => this.#find({ back: true }), { class: "small", title: "Previous (Shift+Enter)", "aria-label": "Previous match" }),
      button("↓", () => this.#find(), { class: "small", title: "Next (Enter)", "aria-label": "Next match" }),
      button("×", () => this.close(), { class: "small", title: "Close (Esc)", "aria-label": "Close search" }));
    this.#input.addEventListener("input", () => this.#find({ typing: true }));
    screen.onFound(({ resultIndex, resultCount }) => this.#counted(resultIndex, resultCount));
  }

  open() {
    this.element.hidden = false;
    const selected = this.#screen.selection;
    if (selected && !selected.includes("\n")) this.#input.value = selected;
    this.#input.focus();
    this.#input.select();
    this.#find({ typing: true });
  }

  close() {
    this.element.hidden = true;
    this.#screen.stopFinding();
    this.#screen.focus();
  }

  #key(event) {
    if (event.key === "Escape") this.close();
    else if (event.key === "Enter") this.#find({ back: event.shiftKey });
    else return;
    event.preventDefault();
  }

  #find(how) {
    if (this.#input.value) this.#screen.find(this.#input.value, how);
    else setText(this.#count, "");
  }

  #counted(index, count) {
    if (!this.#input.value) return;
    setText(this.#count, count === 0 ? "none" : `${index + 1} of ${count}`);
  }
}

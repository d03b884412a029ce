/** Asks before a large paste, and shows its progress while it is sent. */

import { ask } from "../ui/dialog.js";
import { button, h, setText } from "../ui/dom.js";
import { measure, Pacer, preparePaste } from "./paste.js";

const PREVIEW_CHARACTERS = 600;
const CTRL_C = 3;
/** A shorter paste ends before a person could read its progress. */
const SHOWN_FROM_BYTES = 1024;
const encoder = new TextEncoder();

export class PasteController {
  #pacer;
  #screen;
  #label = h("span", { class: "number" });
  element = h("div", { class: "pasting", role: "status", hidden: true }, this.#label, button("Cancel", () => this.#pacer.cancel(), { class: "small" }));

  /** `line` has send(bytes) and waiting(). */
  constructor(line, screen) {
    this.#screen = screen;
    this.#pacer = new Pacer({ ...line, progress: (sent, total) => this.#progress(sent, total) });
  }

  /** Queues keys typed during a paste behind it; Ctrl+C stops the paste. Returns whether the bytes were taken. */
  takes(bytes) {
    if (!this.#pacer.busy) return false;
    if (bytes.length === 1 && bytes[0] === CTRL_C) {
      this.#pacer.cancel();
      return false;
    }
    this.#pacer.push(bytes);
    return true;
  }

  async paste(text) {
    const size = measure(text);
    const agreed = !size.asks || (await this.#agree(text, size));
    this.#screen.focus();
    if (agreed) this.#pacer.push(encoder.encode(preparePaste(text, this.#screen.bracketedPaste)));
  }

  cancel() {
    this.#pacer.cancel();
  }

  #agree(text, { characters, lines }) {
    const count = `${lines} ${lines === 1 ? "line" : "lines"}, ${characters.toLocaleString()} characters`;
    const cut = text.length > PREVIEW_CHARACTERS ? `${text.slice(0, PREVIEW_CHARACTERS)}…` : text;
    const body = h("div", {}, h("p", {}, `${count}. Each line may run as a command.`), h("pre", { class: "preview", tabIndex: 0 }, cut));
    return ask("Paste into the console?", body, [{ label: "Paste", value: true, kind: "primary" }, { label: "Cancel", value: false }]);
  }

  #progress(sent, total) {
    this.element.hidden = total <= SHOWN_FROM_BYTES;
    setText(this.#label, `Pasting ${Math.round((100 * sent) / Math.max(1, total))} %`);
  }
}

/** The log of Azure's boot diagnostics, above the console: output from before the first session. */

import { ApiError } from "../ui/api_error.js";
import { busy, button, h, setText } from "../ui/dom.js";
import { size } from "../recordings/recording_words.js";
import { clock } from "./words.js";

const TAIL_BYTES = 65536;

export class BootLog {
  #api;
  #path;
  #requested = false;
  #gone = new AbortController();
  #summary = h("summary", {}, "Boot log that Azure kept");
  #text = h("pre", { tabIndex: 0, "aria-label": "Boot log" });
  #shot = h("div", { class: "shot" });
  #button = button("Screenshot", () => busy(this.#button, () => this.#screenshot()), { class: "small", data: { testid: "boot-screenshot" } });

  constructor({ api, path }) {
    this.#api = api;
    this.#path = path;
    this.element = h("details", { class: "boot-log", hidden: true, data: { testid: "boot-log" } }, this.#summary, this.#button, this.#shot, this.#text);
  }

  /** Loads the log once. An error is not shown, because the console itself reports problems of the VM. */
  async load() {
    if (this.#requested) return;
    this.#requested = true;
    try {
      const answer = await this.#api.read(`${this.#path}/serialConsole/bootLog?tail=${TAIL_BYTES}`, this.#gone.signal);
      const text = await answer.text();
      if (!text) return;
      setText(this.#text, text);
      setText(this.#summary, `Boot log that Azure kept: the last ${size(text.length)}, read at ${clock(Date.now())}`);
      this.element.hidden = false;
    } catch (error) {
      if (error.name !== "AbortError" && !(error instanceof ApiError)) throw error;
    }
  }

  dispose() {
    this.#gone.abort();
    this.#forget();
  }

  #forget() {
    for (const image of this.#shot.querySelectorAll("img")) URL.revokeObjectURL(image.src);
  }

  async #screenshot() {
    setText(this.#button, "Fetching…");
    try {
      const picture = await (await this.#api.read(`${this.#path}/serialConsole/bootScreenshot`, this.#gone.signal)).blob();
      this.#forget();
      this.#shot.replaceChildren(h("img", { src: URL.createObjectURL(picture), alt: `The VM's screen as Azure saw it, fetched at ${clock(Date.now())}` }));
    } catch (error) {
      if (error.name === "AbortError") return;
      if (!(error instanceof ApiError)) throw error;
      this.#shot.replaceChildren(h("p", { class: "quiet" }, error.message));
    } finally {
      setText(this.#button, "Screenshot");
    }
  }
}

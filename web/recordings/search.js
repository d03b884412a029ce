/** The search in everything recorded of a VM; each hit links to its moment in the player. */

import { ApiError } from "../ui/api_error.js";
import { announce, button, h } from "../ui/dom.js";
import { moment } from "./recording_words.js";
import { searchRecordings } from "./recordings_api.js";
import { recordingsRoute } from "../ui/route.js";

export class RecordingSearch {
  #context;
  #turn = 0;
  #field = h("input", { type: "search", placeholder: "Search what was printed", "aria-label": "Search what was printed", autocomplete: "off", spellcheck: false, maxLength: 200, data: { testid: "find" } });
  #hits = h("ol", { class: "hits", "aria-label": "Found, oldest first" });
  #note = h("p", { class: "quiet", role: "status", data: { testid: "found" } });

  /** `context` has api, path, vm and signal. */
  constructor(context) {
    this.#context = context;
    const form = h("form", { class: "find", role: "search", on: { submit: (event) => this.#submit(event) } }, this.#field, h("button", { type: "submit" }, "Search"));
    this.element = h("div", { class: "finder" }, form, this.#hits, this.#note);
  }

  #submit(event) {
    event.preventDefault();
    this.#hits.replaceChildren();
    const words = this.#field.value.trim();
    this.#turn += 1;
    if (words) this.#search(words, null, this.#turn);
    else this.#note.replaceChildren();
  }

  /** Searches part by part. Each answer covers a bounded part; without a hit in it, the next part is requested automatically. */
  async #search(words, cursor, turn) {
    const { api, path, signal } = this.#context;
    this.#note.replaceChildren("Searching…");
    try {
      let page;
      do {
        page = await searchRecordings(api, path, words, cursor, signal);
        if (turn !== this.#turn) return;
        cursor = page.next;
      } while (page.value.length === 0 && cursor);
      this.#draw(words, page, turn);
    } catch (error) {
      if (error.name === "AbortError" || turn !== this.#turn) return;
      if (!(error instanceof ApiError)) throw error;
      this.#note.replaceChildren(h("span", { class: "bad" }, error.message));
    }
  }

  #draw(words, { value, next }, turn) {
    const first = this.#hits.children.length;
    this.#hits.append(...value.map((hit) => this.#hit(words, hit)));
    const many = this.#hits.children.length;
    const summary = many === 0 ? "Nothing was found." : `${many} ${many === 1 ? "line" : "lines"}${next ? " so far" : ""}. `;
    this.#note.replaceChildren(summary, ...(next ? [button("More", () => this.#search(words, next, turn), { class: "small" })] : []));
    announce(summary);
    if (first > 0) this.#hits.children[first]?.querySelector("a")?.focus();
  }

  #hit(words, hit) {
    const lines = h("pre", {}, ...hit.before.map((line) => `${line}\n`), h("mark", {}, hit.match), ...hit.after.map((line) => `\n${line}`));
    const when = moment(hit.time);
    const head = hit.recording
      ? h("a", { href: recordingsRoute(this.#context.vm, { id: hit.recording, offset: hit.offset, q: words }), data: { testid: "hit" } }, when)
      : h("span", {}, when);
    return h("li", {}, head, lines);
  }
}

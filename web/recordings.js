/** What was recorded of a VM: the list, search in all of it, and whether it is complete. */

import { ApiError } from "./api_error.js";
import { announce, arrange, button, h } from "./dom.js";
import { Finder } from "./finder.js";
import { behindWords, day, isGrave, lasting, lengthOf, markCounts, size, whoWords } from "./recording_words.js";
import { readRecordings } from "./recordings_api.js";
import { shortRefusal } from "./refusal_words.js";
import { consoleRoute, nameOf, pathOf, recordingsRoute } from "./route.js";
import { Verifier } from "./verifier.js";

const AGAIN_MILLISECONDS = 1000;

export class RecordingsView {
  #api;
  #auth;
  #vm;
  #gone = new AbortController();
  #behind = h("p", { class: "behind", role: "status", data: { testid: "behind" }, hidden: true });
  #hold = h("p", { class: "hold", data: { testid: "hold" }, hidden: true });
  #list = h("ul", { class: "recordings-list", role: "list", "aria-label": "Recordings, newest first" });
  #rows = new Map();
  #message = h("div", { class: "message", role: "status" });

  constructor({ api, auth, vm }) {
    this.#api = api;
    this.#auth = auth;
    this.#vm = vm;
  }

  mount(place) {
    const { name, group } = nameOf(this.#vm);
    const desk = { api: this.#api, path: pathOf(this.#vm), vm: this.#vm, signal: this.#gone.signal };
    document.title = `Recordings of ${name} · Serial Console`;
    place.replaceChildren(h("section", { class: "consoles recordings" },
      h("div", { class: "list-head" }, h("a", { class: "back", href: "#/", "aria-label": "All consoles" }, "‹"), h("h1", { tabIndex: -1 }, `Recordings of ${name}`), h("span", { class: "quiet" }, group), h("a", { class: "across", href: consoleRoute(this.#vm) }, "Open the console")),
      this.#behind, this.#hold, new Verifier(desk).element, new Finder(desk).element, this.#list, this.#message));
    place.querySelector("h1").focus();
    this.#load();
  }

  dispose() {
    this.#gone.abort();
  }

  /** A list that is still being made says so, and grows. */
  async #load() {
    try {
      for (;;) {
        this.#message.replaceChildren(h("p", { class: "empty" }, "Reading the list of recordings…"));
        const { value, complete, hold, archive } = await readRecordings(this.#api, pathOf(this.#vm), this.#gone.signal);
        this.#draw(value, hold);
        this.#tell(archive);
        if (complete) return announce(`${value.length} recordings`);
        this.#message.replaceChildren(h("p", { class: "empty" }, `${value.length} so far; the rest is being read…`));
        await new Promise((resolve) => setTimeout(resolve, AGAIN_MILLISECONDS));
        if (this.#gone.signal.aborted) return;
      }
    } catch (error) {
      if (error.name === "AbortError") return;
      if (!(error instanceof ApiError)) throw error;
      this.#message.replaceChildren(this.#failure(error));
    }
  }

  #draw(recordings, hold) {
    arrange(this.#list, recordings.toReversed().map((one) => this.#row(one)));
    this.#hold.hidden = !hold;
    if (hold) this.#hold.textContent = `Under legal hold since ${day(hold.since)}: ${hold.reason}. Nothing is dropped until it is lifted.`;
    this.#message.replaceChildren(...(recordings.length ? [] : [h("p", { class: "empty" }, "Nothing is recorded of this VM yet. What it prints is recorded from the first time its console is opened.")]));
  }

  /** What is on its way is no loss, and the list not yet whole. */
  #tell(archive) {
    const words = archive?.state === "behind" ? behindWords(archive) : null;
    this.#behind.hidden = !words;
    this.#behind.textContent = words ?? "";
  }

  /** The one that is there, while it says the same: who stands on it stays on it. */
  #row(recording) {
    const said = JSON.stringify(recording);
    const known = this.#rows.get(recording.id);
    if (known?.said === said) return known.element;
    const element = row(this.#vm, recording);
    this.#rows.set(recording.id, { said, element });
    return element;
  }

  #failure(error) {
    const again = error.code === "SignInRequired" || error.code === "MfaRequired"
      ? button("Sign in again", () => this.#auth.signIn({ claims: error.claims }), { class: "primary" })
      : button("Try again", () => this.#load(), { class: "primary" });
    return h("div", { class: "failure", role: "alert" }, h("h2", {}, shortRefusal(error)), h("p", {}, error.message), error.fix && h("p", {}, error.fix), again);
  }
}

function row(vm, recording) {
  const printed = recording.end - recording.start;
  return h("li", { class: "recording", data: { testid: "recording", id: recording.id } },
    h("a", { class: "name", href: recordingsRoute(vm, { id: recording.id }), data: { testid: "play" } }, day(recording.began)),
    h("span", { class: "number" }, recording.ended ? lasting(lengthOf(recording)) : `${lasting(lengthOf(recording))}, goes on`),
    h("span", { class: "number quiet" }, size(printed)),
    h("span", { class: "who" }, whoWords(recording)),
    h("span", { class: "marks" }, markCounts(recording).map((mark) => h("span", { class: isGrave(mark) ? "mark grave" : "mark", data: { kind: mark.kind } }, mark.words))));
}

/** The page of a VM's recordings: the list, the search, and the verification. */

import { ApiError } from "../ui/api_error.js";
import { announce, arrange, h, setText } from "../ui/dom.js";
import { failureView } from "../ui/failure.js";
import { RecordingSearch } from "./search.js";
import { behindWords, day, interruptedWords, isGrave, lengthWords, markCounts, moment, size, whoWords } from "./recording_words.js";
import { readRecordings } from "./recordings_api.js";
import { consoleRoute, nameOf, pathOf, recordingsRoute } from "../ui/route.js";
import { Verifier } from "./verifier.js";

const GROWING_MILLISECONDS = 1000;
/** The interval of reloads. An archive that is behind catches up within a minute or two; each reload is recorded as a read. */
const BEHIND_MILLISECONDS = 30_000;
const BEHIND_LOOKS = 5;

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
    const context = { api: this.#api, path: pathOf(this.#vm), vm: this.#vm, signal: this.#gone.signal };
    document.title = `Recordings of ${name} · Serial Console`;
    place.replaceChildren(h("section", { class: "consoles recordings" },
      h("div", { class: "list-head" }, h("a", { class: "back", href: "#/", "aria-label": "All consoles" }, "‹"), h("h1", { tabIndex: -1 }, `Recordings of ${name}`), h("span", { class: "quiet" }, group), h("a", { class: "across", href: consoleRoute(this.#vm) }, "Open the console")),
      this.#behind, this.#hold, new Verifier(context).element, new RecordingSearch(context).element, this.#list, this.#message));
    place.querySelector("h1").focus();
    this.#load();
  }

  dispose() {
    this.#gone.abort();
  }

  /** Loads the list. It reloads while the list is still being indexed, or the archive is behind. */
  async #load() {
    try {
      this.#message.replaceChildren(h("p", { class: "empty" }, "Reading the list of recordings…"));
      let looks = 0;
      for (let pause = 0; ; await new Promise((resolve) => setTimeout(resolve, pause))) {
        if (this.#gone.signal.aborted) return;
        const { value, complete, hold, archive } = await readRecordings(this.#api, pathOf(this.#vm), this.#gone.signal);
        this.#draw(value, hold);
        this.#tell(archive);
        if (!complete) this.#message.replaceChildren(h("p", { class: "empty" }, `${value.length} so far; the rest is being read…`));
        else announce(`${value.length} recordings`);
        if (complete && (archive?.state !== "behind" || looks >= BEHIND_LOOKS)) return;
        looks += complete ? 1 : 0;
        pause = complete ? BEHIND_MILLISECONDS : GROWING_MILLISECONDS;
      }
    } catch (error) {
      if (error.name === "AbortError") return;
      if (!(error instanceof ApiError)) throw error;
      this.#message.replaceChildren(failureView(error, this.#auth, () => this.#load()));
    }
  }

  #draw(recordings, hold) {
    arrange(this.#list, recordings.toReversed().map((one) => this.#row(one)));
    this.#hold.hidden = !hold;
    if (hold) this.#hold.textContent = `Under legal hold since ${day(hold.since)}: ${hold.reason}. Nothing is dropped until it is lifted.`;
    this.#message.replaceChildren(...(recordings.length ? [] : [h("p", { class: "empty" }, "Nothing is recorded of this VM yet. What it prints is recorded from the first time its console is opened.")]));
  }

  /** Shows how far the archive is behind, which is no loss, and whether the list is still incomplete. */
  #tell(archive) {
    const words = archive?.state === "behind" ? behindWords(archive) : null;
    this.#behind.hidden = !words;
    setText(this.#behind, words ?? "");
  }

  /** Returns the existing element if its recording is unchanged, so that it keeps the focus. */
  #row(recording) {
    const json = JSON.stringify(recording);
    const known = this.#rows.get(recording.id);
    if (known?.json === json) return known.element;
    const element = row(this.#vm, recording);
    this.#rows.set(recording.id, { json, element });
    return element;
  }
}

function row(vm, recording) {
  const printed = recording.end - recording.start;
  return h("li", { class: "recording", data: { testid: "recording", id: recording.id } },
    h("a", { class: "name", href: recordingsRoute(vm, { id: recording.id }), data: { testid: "play" } }, moment(recording.began)),
    h("span", { class: "number", data: { state: recording.state } }, lengthWords(recording)),
    h("span", { class: "number quiet" }, size(printed)),
    h("span", { class: "who" }, whoWords(recording)),
    h("span", { class: "marks" }, markCounts(recording).map((mark) => h("span", { class: isGrave(mark) ? "mark grave" : "mark", data: { kind: mark.kind } }, mark.words))),
    recording.state === "interrupted" && h("p", { class: "interrupted quiet", data: { testid: "interrupted" } }, interruptedWords(recording)));
}

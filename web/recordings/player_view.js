/** The page of one recording: its details, the player, and the downloads. */

import { ApiError } from "../ui/api_error.js";
import { announce, button, h, setText } from "../ui/dom.js";
import { Player } from "./player.js";
import { isGrave, markWords, moment, size, whoWords } from "./recording_words.js";
import { readCast, readFile, readRecordings } from "./recordings_api.js";
import { messageWords, shortRefusal } from "../session/refusal_words.js";
import { nameOf, pathOf, recordingsRoute } from "../ui/route.js";

const FORMS = { raw: ["Exact bytes", "log"], text: ["Plain text", "txt"], cast: ["asciicast", "cast"] };

export class PlayerView {
  #api;
  #vm;
  #path;
  #id;
  #offset;
  #words;
  #player = null;
  #gone = new AbortController();
  #loaded = h("span", { class: "quiet number", role: "status", data: { testid: "loaded" } });
  #about = h("p", { class: "about" });
  /** Shown only if the recording exists. */
  #forms = h("div", { class: "acts", role: "group", "aria-label": "Download", hidden: true });
  #stage = h("div", { class: "stage" });

  /** `offset` is a place in the console's printed bytes, `words` the searched text at that place. */
  constructor({ api, vm, id, offset, words }) {
    this.#api = api;
    this.#vm = vm;
    this.#path = pathOf(vm);
    this.#id = id;
    this.#offset = offset;
    this.#words = words;
  }

  mount(place) {
    const { name } = nameOf(this.#vm);
    document.title = `Recording of ${name} · Serial Console`;
    const forms = Object.entries(FORMS).map(([format, [label]]) => button(label, () => this.#download(format), { class: "small", data: { testid: `download-${format}` }, title: `Download this recording: ${label.toLowerCase()}` }));
    this.#forms.append(h("span", { "aria-hidden": "true" }, "Download"), ...forms);
    setText(this.#loaded, "Loading…");
    place.replaceChildren(h("section", { class: "player-page" },
      h("header", { class: "bar" }, h("div", { class: "what" }, h("a", { class: "back", href: recordingsRoute(this.#vm), "aria-label": `All recordings of ${name}` }, "‹"), h("h1", { tabIndex: -1 }, name), this.#about), this.#loaded, this.#forms),
      this.#stage));
    place.querySelector("h1").focus();
    this.#open();
  }

  dispose() {
    this.#gone.abort();
    this.#player?.dispose();
  }

  async #open() {
    try {
      const { value } = await readRecordings(this.#api, this.#path, this.#gone.signal);
      const recording = value.find((one) => one.id === this.#id);
      if (!recording) return this.#say("This recording is not there", "Retention may have dropped it, or the address is not whole.");
      this.#forms.hidden = false;
      setText(this.#about, [moment(recording.began), whoWords(recording), !recording.ended && "still being recorded"].filter(Boolean).join(" · "));
      const marks = recording.marks.map((mark) => ({ words: markWords(mark), text: mark.text, offset: mark.offset - recording.start, grave: isGrave(mark) }));
      this.#player = new Player(this.#stage, marks);
      await this.#load(recording);
    } catch (error) {
      if (error.name === "AbortError") return;
      if (!(error instanceof ApiError)) throw error;
      this.#say(shortRefusal(error), messageWords(error));
    }
  }

  async #load(recording) {
    const total = recording.end - recording.start;
    const wanted = this.#offset === null ? null : Math.max(0, this.#offset - recording.start);
    let waits = wanted !== null;
    for await (const piece of readCast(this.#api, this.#path, this.#id, this.#gone.signal)) {
      this.#player.add(piece);
      setText(this.#loaded, `Loading ${size(this.#player.bytes)} of ${size(total)}`);
      if (waits && this.#player.bytes > wanted) waits = this.#jump(wanted);
    }
    if (waits) this.#jump(wanted);
    setText(this.#loaded, this.#player.bytes > 0 ? size(this.#player.bytes) : "Nothing was printed");
    if (wanted === null) this.#player.play();
    announce("The recording is loaded");
  }

  /** Seeks to an offset. Returns false: the page no longer waits for it. */
  #jump(offset) {
    this.#player.seekTo(offset, this.#words);
    return false;
  }

  async #download(format) {
    const name = `${nameOf(this.#vm).name.replaceAll(" / ", "-")}-${this.#id}.${FORMS[format][1]}`;
    try {
      const file = await readFile(this.#api, this.#path, this.#id, format, (bytes) => setText(this.#loaded, `Downloading ${size(bytes)}`), this.#gone.signal);
      const address = URL.createObjectURL(file);
      h("a", { href: address, download: name }).click();
      setTimeout(() => URL.revokeObjectURL(address), 10_000);
      setText(this.#loaded, `Downloaded ${size(file.size)}`);
    } catch (error) {
      if (error.name === "AbortError") return;
      if (!(error instanceof ApiError)) throw error;
      setText(this.#loaded, `It could not be downloaded. ${error.message}`);
    }
  }

  #say(head, words) {
    setText(this.#loaded, "");
    this.#stage.replaceChildren(h("div", { class: "failure", role: "alert" }, h("h2", {}, head), h("p", {}, words), h("a", { href: recordingsRoute(this.#vm) }, "All recordings")));
  }
}

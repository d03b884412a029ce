/** Plays a recording in a terminal: play, pause, seek, speed, marks. It never answers queries in the output. */

import { Cast } from "./cast.js";
import { announce, button, h, setText } from "../ui/dom.js";
import { advance, drawnFrom, otherMark, otherSpeed, SPEEDS } from "./playhead.js";
import { clock } from "./recording_words.js";
import { Screen } from "../terminal/terminal.js";

const STEP_SECONDS = 5;
/** Bytes before a place that are enough to redraw the screen at that place. */
const REDRAWN_BYTES = 8_000_000;
/** Bytes written to the terminal at once; the page stays responsive between two such writes. */
const WRITTEN_BYTES = 256 * 1024;
const nothing = () => {};

export class Player {
  #cast = new Cast();
  #marks;
  #at = 0;
  /** The number of prints on the screen. */
  #shown = 0;
  #playing = false;
  #frame = 0;
  #last = 0;
  #speed = 1;
  #skipIdle = true;
  #screen;
  #parts = {};

  /** `marks`: words, text, offset (bytes of the recording), grave. */
  constructor(place, marks) {
    this.#marks = marks;
    this.#build(place);
    this.#screen = new Screen(this.#parts.terminal, { typed: nothing, pasted: nothing, search: nothing, leave: () => this.#parts.play.focus(), sized: nothing });
    this.#screen.allowTyping(false);
    this.#draw();
  }

  get bytes() {
    return this.#cast.bytes;
  }

  /** Adds a piece of the asciicast. */
  add(piece) {
    this.#cast.add(piece);
    this.#drawMarks();
    this.#draw();
  }

  dispose() {
    cancelAnimationFrame(this.#frame);
    this.#screen.dispose();
  }

  play() {
    if (this.#playing) return;
    if (this.#at >= this.#cast.seconds) this.#seek(0);
    this.#playing = true;
    this.#last = performance.now();
    this.#frame = requestAnimationFrame((now) => this.#goOn(now));
    this.#draw();
  }

  pause() {
    this.#playing = false;
    cancelAnimationFrame(this.#frame);
    this.#draw();
  }

  /** Seeks to the moment after a byte of the recording and the searched words from it on were printed, and selects them. */
  seekTo(offset, words) {
    this.pause();
    this.#seek(this.#cast.timeAt(offset + (words?.length ?? 0)));
    if (words) this.#screen.whenShown(() => this.#screen.find(words, { back: true }));
    announce(`At ${clock(this.#at)}`);
  }

  #goOn(now) {
    const passed = (now - this.#last) / 1000;
    this.#last = now;
    this.#at = advance(this.#cast, this.#at, passed, { speed: this.#speed, skipIdle: this.#skipIdle });
    this.#show();
    if (this.#at >= this.#cast.seconds) this.pause();
    else this.#frame = requestAnimationFrame((later) => this.#goOn(later));
  }

  #seek(seconds) {
    this.#at = Math.min(Math.max(0, seconds), this.#cast.seconds);
    const from = drawnFrom(this.#cast, this.#shown, this.#cast.until(this.#at), REDRAWN_BYTES);
    if (from !== this.#shown) this.#screen.clear();
    this.#shown = from;
    this.#show();
  }

  /** Draws the screen at the playhead's position. */
  #show() {
    const due = this.#cast.until(this.#at);
    while (this.#shown < due) {
      const end = Math.min(due, Math.max(this.#shown + 1, this.#cast.printAt(this.#cast.offsetOf(this.#shown) + WRITTEN_BYTES)));
      this.#screen.show(this.#cast.printed(this.#shown, end), true);
      this.#shown = end;
    }
    this.#draw();
  }

  // ---- drawing

  #build(place) {
    const parts = (this.#parts = {
      terminal: h("div", { class: "terminal", data: { testid: "player-terminal" } }),
      play: button("Play", () => (this.#playing ? this.pause() : this.play()), { class: "primary", data: { testid: "player-play" }, title: "Space" }),
      time: h("span", { class: "number", data: { testid: "player-time" } }),
      slider: h("input", { type: "range", min: "0", max: "0", step: "0.1", "aria-label": "Place in the recording", data: { testid: "player-slider" }, on: { input: () => this.#slid() } }),
      ticks: h("div", { class: "ticks", "aria-hidden": "true" }),
      speed: h("select", { "aria-label": "Speed", data: { testid: "player-speed" }, on: { change: () => this.#faster(Number(parts.speed.value)) } }, SPEEDS.map((speed) => h("option", { value: String(speed) }, `${speed} ×`))),
      skip: h("input", { type: "checkbox", checked: true, data: { testid: "player-skip" }, on: { change: () => (this.#skipIdle = parts.skip.checked) } }),
      marks: h("ol", { class: "mark-list", "aria-label": "What happened", data: { testid: "player-marks" } }),
    });
    parts.speed.value = "1";
    const line = h("div", { class: "timeline" }, parts.slider, parts.ticks);
    const element = h("section", { class: "player", "aria-label": "Player" }, parts.terminal,
      h("div", { class: "controls" }, parts.play, line, parts.time, parts.speed, h("label", { class: "check" }, parts.skip, "Skip idle")),
      parts.marks, h("footer", { class: "hint wide" }, "Space plays and pauses · arrows go 5 s, with Shift from mark to mark · Home, End · + and − change the speed"));
    // Before xterm, which would take the keys as input for a VM.
    element.addEventListener("keydown", (event) => this.#key(event), true);
    place.replaceChildren(element);
  }

  #draw() {
    const { play, time, slider } = this.#parts;
    const spoken = `${clock(this.#at)} of ${clock(this.#cast.seconds)}`;
    setText(play, this.#playing ? "Pause" : "Play");
    setText(time, `${clock(this.#at)} / ${clock(this.#cast.seconds)}`);
    slider.max = String(this.#cast.seconds);
    slider.value = String(this.#at);
    slider.setAttribute("aria-valuetext", spoken);
  }

  #drawMarks() {
    const { marks, ticks } = this.#parts;
    const due = this.#due;
    if (marks.children.length === due.length && due.length > 0) return this.#drawTicks(due);
    marks.replaceChildren(...due.map((mark) => h("li", {}, button(`${clock(mark.time)} ${mark.words}`, () => this.#toMark(mark), { class: mark.grave ? "small grave" : "small", title: mark.text }))));
    ticks.replaceChildren(...due.map((mark) => h("i", { class: mark.grave ? "grave" : "" })));
    this.#drawTicks(due);
  }

  #drawTicks(due) {
    for (const [at, mark] of due.entries()) this.#parts.ticks.children[at].style.left = `${(100 * mark.time) / (this.#cast.seconds || 1)}%`;
  }

  /** Returns the loaded marks with their times. */
  get #due() {
    return this.#marks.filter((mark) => mark.offset <= this.#cast.bytes).map((mark) => ({ ...mark, time: this.#cast.timeAt(mark.offset) }));
  }

  // ---- controls

  #slid() {
    this.#seek(Number(this.#parts.slider.value));
  }

  #toMark(mark) {
    this.#seek(mark.time);
    announce(`${mark.words} at ${clock(mark.time)}`);
  }

  #faster(speed) {
    this.#speed = speed;
    this.#parts.speed.value = String(speed);
    announce(`Speed ${speed}`);
  }

  #key(event) {
    // Nothing can be typed here, so Tab moves the focus as usual.
    if (event.key === "Tab") event.stopPropagation();
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("select")) return;
    if (event.key === " " && event.target.matches("button, input[type=checkbox]")) return;
    const act = KEYS[`${event.shiftKey && event.key.startsWith("Arrow") ? "Shift+" : ""}${event.key}`];
    if (!act) return;
    event.preventDefault();
    event.stopPropagation();
    act({
      toggle: () => (this.#playing ? this.pause() : this.play()),
      by: (seconds) => this.#seek(this.#at + seconds),
      to: (end) => this.#seek(end ? this.#cast.seconds : 0),
      mark: (step) => {
        const mark = otherMark(this.#due, this.#at, step);
        if (mark) this.#toMark(mark);
      },
      speed: (step) => this.#faster(otherSpeed(this.#speed, step)),
    });
  }
}

const KEYS = {
  " ": ({ toggle }) => toggle(),
  ArrowLeft: ({ by }) => by(-STEP_SECONDS),
  ArrowRight: ({ by }) => by(STEP_SECONDS),
  "Shift+ArrowLeft": ({ mark }) => mark(-1),
  "Shift+ArrowRight": ({ mark }) => mark(1),
  Home: ({ to }) => to(false),
  End: ({ to }) => to(true),
  "+": ({ speed }) => speed(1),
  "-": ({ speed }) => speed(-1),
};

/** The page of one console: header, tools, terminal, notes and panel, all drawn from the session's state. */

import { BootLog } from "./boot_log.js";
import { button, h, setText } from "../ui/dom.js";
import { Driver } from "./driver.js";
import { noteFor } from "../ui/notes.js";
import { panelFor, panelKey } from "./panel.js";
import { PasteController } from "../terminal/paste_controller.js";
import { nameOf, pathOf, recordingsRoute } from "../ui/route.js";
import { SearchBar } from "../terminal/search_bar.js";
import { size } from "../recordings/recording_words.js";
import { Speaker } from "../ui/speaker.js";
import { Screen } from "../terminal/terminal.js";
import { toolbar } from "../terminal/toolbar.js";
import { VmController } from "../access/vm_controller.js";
import { countdown, heardAsk, heardLimit, keptWords, limitWords, peopleWords, stateWords } from "./words.js";

const TICK_MILLISECONDS = 500;
const PRODUCT = "Serial Console";
const encoder = new TextEncoder();

export class ConsoleView {
  #api;
  #auth;
  #vm;
  #path;
  #name;
  #driver;
  #screen;
  #search;
  #pastes;
  #ticker = 0;
  #panelKey = "";
  #phase = "";
  /** True if the console has ended since it was last open. */
  #ended = false;
  #speaker = new Speaker();
  #tools;
  #notes = null;
  #parts = {};
  #vmController;
  #bootLog;

  constructor({ api, auth, vm }) {
    this.#api = api;
    this.#auth = auth;
    this.#vm = vm;
    this.#path = pathOf(vm);
    this.#name = nameOf(vm);
    this.#bootLog = new BootLog({ api, path: this.#path });
    this.#vmController = new VmController({ api, auth, vm, path: this.#path, name: this.#name.name, say: (text, tone) => this.#sayResult(text, tone), began: (act) => act === "start" && this.#comeBack() });
  }

  mount(place) {
    this.#build(place);
    const handlers = {
      typed: (bytes) => this.#pastes.takes(bytes) || this.#type(bytes),
      pasted: (text) => this.#writing && this.#pastes.paste(text),
      search: () => this.#search.open(),
      leave: () => this.#leaveTerminal(),
      sized: (columns, rows) => setText(this.#parts.size, `${columns} × ${rows}`),
    };
    this.#screen = new Screen(this.#parts.terminal, handlers);
    this.#search = new SearchBar(this.#screen);
    this.#driver = new Driver({ api: this.#api, vm: this.#path, screen: this.#screen, changed: () => this.#draw(), acted: (act) => this.#screen.note(this.#vmController.acted(act)), reasonSource: (signal) => this.#vmController.reason(signal) });
    this.#pastes = new PasteController({ send: (bytes) => this.#type(bytes), waiting: () => this.#driver.waiting }, this.#screen);
    this.#parts.stage.append(this.#search.element, this.#pastes.element);
    this.#ticker = setInterval(() => {
      this.#tick();
      this.#hear();
    }, TICK_MILLISECONDS);
    addEventListener("online", this.#online);
    this.#screen.focus();
    this.#connect({ mode: "write", takeover: "never" });
    this.#vmController.learnRights();
  }

  dispose() {
    this.#vmController.dispose();
    this.#bootLog.dispose();
    clearInterval(this.#ticker);
    removeEventListener("online", this.#online);
    this.#pastes.cancel();
    this.#driver.dispose();
    this.#screen.dispose();
  }

  #online = () => this.#driver.hurry();

  get #writing() {
    return this.#driver.state.phase === "open" && this.#driver.state.mode === "write";
  }

  #build(place) {
    const parts = (this.#parts = {
      state: h("p", { class: "state", data: { testid: "state" } }),
      people: h("span", { class: "people", data: { testid: "people" } }),
      kept: h("span", { class: "kept", data: { testid: "kept" } }),
      limit: h("span", { class: "limit number", data: { testid: "limit" } }),
      result: h("span", { class: "result", role: "status", data: { testid: "result" } }),
      acts: h("div", { class: "acts" }),
      terminal: h("div", { class: "terminal", data: { testid: "terminal" } }),
      notes: h("div", { class: "notes", role: "group", "aria-label": "Warnings", hidden: true }),
      panel: h("div", { class: "panel-place" }),
      enter: h("span", {}, "Press Enter if the screen stays empty"),
      size: h("span", { class: "number" }),
    });
    parts.stage = h("div", { class: "stage" }, parts.terminal, parts.panel);
    this.#buttons();
    const title = h("h1", { title: decodeURIComponent(this.#path) }, this.#name.name);
    const about = h("div", { class: "about" }, parts.state, h("span", { class: "extras" }, parts.people, parts.kept, parts.limit, parts.result));
    this.#tools = toolbar({ access: () => this.#vmController.showAccess(this.#driver.state), search: () => this.#search.open(), copyAll: () => this.#copyAll(), download: () => this.#download(), recordings: recordingsRoute(this.#vm), setSize: () => this.#setSize() }, this.#vmController.menu);
    place.replaceChildren(h("section", { class: "console" },
      h("header", { class: "bar" }, h("div", { class: "what" }, h("a", { class: "back", href: "#/", "aria-label": "All consoles" }, "‹"), title, h("span", { class: "quiet" }, this.#name.group)), about, parts.acts),
      this.#tools.element, parts.notes, this.#bootLog.element, parts.stage,
      h("footer", { class: "hint" }, parts.enter, h("span", { class: "wide" }, h("kbd", {}, "Ctrl+F6"), " leaves the terminal"), parts.size)));
  }

  #buttons() {
    const one = (label, testid, click, kind = "") => button(label, click, { class: kind, data: { testid } });
    this.#parts.takeOver = one("Take over", "take-over", () => this.#connect({ mode: "write", takeover: "force" }), "primary");
    this.#parts.watch = one("Watch", "watch", () => this.#connect({ mode: "watch" }));
    this.#parts.disconnect = one("Disconnect", "disconnect", () => this.#driver.tell({ type: "leave" }));
  }

  #connect(choice) {
    this.#driver.tell({ type: "connect", ...choice });
  }

  #type(bytes) {
    this.#driver.tell({ type: "typed", bytes });
  }

  // ---- drawing

  #draw() {
    const { state } = this.#driver;
    if (!this.#writing) this.#pastes.cancel();
    this.#screen.allowTyping(this.#writing);
    this.#tools.allowTyping(this.#writing);
    this.#parts.enter.hidden = !this.#writing;
    this.#drawActs(state);
    this.#drawNotes(state.notices);
    this.#drawPanel(state);
    this.#tick();
    this.#settleFocus(state.phase);
  }

  /** Focuses the terminal when the console opens, unless the person uses another field. */
  #settleFocus(phase) {
    const opened = phase === "open" && this.#phase !== "open";
    this.#phase = phase;
    if (opened && this.#ended) this.#sayResult("");
    this.#ended = phase === "ended" || (this.#ended && !opened);
    if (opened) this.#bootLog.load();
    if (opened) this.#vmController.learnMissingRights();
    if (opened && !document.activeElement.matches("input, dialog *, .menu *")) this.#screen.focus();
  }

  /** Shows only the buttons that apply now; a panel has its own. */
  #drawActs({ phase, mode, live, writer }) {
    const { acts, takeOver, watch, disconnect } = this.#parts;
    const leaving = ["open", "requesting", "connecting", "waiting"].includes(phase);
    setText(takeOver, writer ? "Take over" : "Write");
    setText(disconnect, live ? "Disconnect" : "Cancel");
    const due = [phase === "open" && (mode === "watch" ? takeOver : watch), leaving && disconnect].filter(Boolean);
    if (due.length !== acts.children.length || due.some((one, at) => acts.children[at] !== one)) acts.replaceChildren(...due);
  }

  /** Draws what changes with time: the status line and countdowns. */
  #tick() {
    const { state } = this.#driver;
    const now = Date.now();
    const { text, steady, tone } = stateWords(state, now, this.#auth.user?.name);
    setText(this.#parts.state, text);
    this.#parts.state.dataset.tone = tone;
    document.title = `${this.#name.name} · ${steady} · ${PRODUCT}`;
    setText(this.#parts.people, state.live ? peopleWords(state) : "");
    setText(this.#parts.kept, state.live ? keptWords(state) : "");
    setText(this.#parts.limit, limitWords(state, now) ?? "");
    for (const left of this.#parts.panel.querySelectorAll("[data-until]")) setText(left, countdown(left.dataset.until - now));
  }

  /** Announces changes to screen readers. It runs on a timer, not with every frame, so that changes are spoken together and none is interrupted. */
  #hear() {
    const { state } = this.#driver;
    const now = Date.now();
    const notices = Object.fromEntries(state.notices.map(({ code, message }) => [`notice ${code}`, message]));
    const { steady } = stateWords(state, now, this.#auth.user?.name);
    this.#speaker.hear({ state: steady, ask: heardAsk(state), limit: heardLimit(state, now), people: this.#parts.people.textContent, kept: this.#parts.kept.textContent, ...notices });
  }

  #drawNotes(notices) {
    if (notices === this.#notes) return;
    this.#notes = notices;
    this.#parts.notes.hidden = notices.length === 0;
    this.#parts.notes.replaceChildren(...notices.map((one) => noteFor(one, () => this.#driver.tell({ type: "dismiss", code: one.code }))));
  }

  #drawPanel(state) {
    const key = panelKey(state);
    if (key === this.#panelKey) return;
    this.#panelKey = key;
    const act = {
      connect: (choice) => this.#connect(choice),
      answer: (allow) => this.#driver.tell({ type: "answer", allow }),
      signIn: (claims) => this.#auth.signIn({ claims }),
      checks: (mode) => this.#vmController.checks(mode),
      start: () => this.#vmController.run("start"),
      approval: (options) => this.#vmController.waitForApproval({ ...options, statusChanged: (standing) => this.#driver.tell({ type: "standing", ...standing }) }),
    };
    this.#vmController.stopWaiting();
    const panel = panelFor(state, act, this.#auth.user?.name);
    const hadFocus = this.#parts.stage.contains(document.activeElement) || document.activeElement === document.body;
    this.#parts.panel.replaceChildren(...(panel ? [panel] : []));
    this.#parts.stage.classList.toggle("covered", Boolean(panel) && !state.ask);
    // Focus the panel, not its first button: a key meant for the VM must not press it.
    if (hadFocus && panel && !state.ask) panel.focus();
    else if (hadFocus && !panel) this.#screen.focus();
  }

  #sayResult(text, tone = "") {
    setText(this.#parts.result, text);
    this.#parts.result.dataset.tone = tone;
  }

  // ---- actions of the person

  /** Moves the focus out of the terminal, where Tab goes to the VM: to the panel if there is one, else to the header. */
  #leaveTerminal() {
    const next = this.#parts.panel.querySelector("button") ?? this.#parts.acts.querySelector("button");
    (next ?? document.querySelector(".back")).focus();
  }

  async #copyAll() {
    const copied = await navigator.clipboard.writeText(this.#screen.text).then(() => true, () => false);
    this.#sayResult(copied ? "Copied everything in the scrollback" : "The browser did not allow copying", copied ? "good" : "bad");
    this.#screen.focus();
  }

  async #download() {
    this.#sayResult("Downloading…", "busy");
    try {
      const transcript = await this.#api.transcript(this.#path, (bytes) => this.#sayResult(`Downloading… ${size(bytes)}`, "busy"));
      if (transcript.size > 0) this.#save(transcript);
      this.#sayResult(transcript.size > 0 ? `Downloaded ${size(transcript.size)}` : "Nothing is archived of this console yet", "good");
    } catch (error) {
      this.#sayResult("");
      this.#driver.tell({ type: "warning", code: error.code, message: `The transcript could not be read. ${error.message}` });
    }
    this.#screen.focus();
  }

  #save(transcript) {
    const address = URL.createObjectURL(transcript);
    h("a", { href: address, download: `${this.#name.name.replaceAll(" / ", "-")}.log` }).click();
    setTimeout(() => URL.revokeObjectURL(address), 10_000);
  }

  /** Connects again, patiently, after the person has started the VM. */
  #comeBack() {
    const { phase, want } = this.#driver.state;
    if (phase === "refused" || phase === "ended") this.#connect({ ...want, patient: true });
  }

  #setSize() {
    const { columns, rows } = this.#screen.size;
    // The leading space keeps the line out of most shells' history.
    if (this.#writing) this.#type(encoder.encode(` stty rows ${rows} cols ${columns}\r`));
    this.#screen.focus();
  }
}

/** The terminal: xterm with its add-ons, the page's own keys and its own paste. */

import { FitAddon, SearchAddon, Terminal, Unicode11Addon, WebLinksAddon } from "./third_party.js";
import { isDark, looks, prefer, prefs } from "../ui/prefs.js";
import { DARK, LIGHT, MATCHES } from "./palette.js";

const SCROLLBACK = 10_000;
const FONTS = 'ui-monospace, "Cascadia Mono", "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace';
/** In the palette's grey, not dimmed: dimmed text escapes `minimumContrastRatio`. */
const NOTE = ["\r\n\x1b[0;3;90m— ", " —\x1b[0m\r\n"];
/** Control sequences that a terminal answers: device status, device attributes, mode requests. */
const QUERIES = [
  { final: "n" }, { prefix: "?", final: "n" }, { final: "c" }, { prefix: ">", final: "c" }, { prefix: "=", final: "c" },
  { intermediates: "$", final: "p" }, { prefix: "?", intermediates: "$", final: "p" },
];
const COLOR_QUERIES = [4, 10, 11, 12];
const still = matchMedia("(prefers-reduced-motion: reduce)");
const encoder = new TextEncoder();

/** `typed(bytes)`, `pasted(text)`, `search()`, `leave()`, `sized(columns, rows)` are called when the person does this. */
export class Screen {
  #terminal;
  #search = new SearchAddon();
  #fit = new FitAddon();
  #tell;
  #undo = [];
  #replaying = 0;

  constructor(place, tell) {
    this.#tell = tell;
    this.#terminal = new Terminal(options());
    for (const addon of [this.#fit, this.#search, new Unicode11Addon(), new WebLinksAddon(openLink)]) this.#terminal.loadAddon(addon);
    this.#terminal.unicode.activeVersion = "11";
    this.#terminal.attachCustomKeyEventHandler((event) => this.#key(event));
    this.#terminal.onData((text) => tell.typed(encoder.encode(text)));
    this.#terminal.onBinary((text) => tell.typed(Uint8Array.from(text, (letter) => letter.charCodeAt(0))));
    this.#terminal.onResize(({ cols, rows }) => tell.sized(cols, rows));
    this.#muteReplay();
    this.#terminal.open(place);
    this.#listen(place);
    this.fit();
    tell.sized(this.#terminal.cols, this.#terminal.rows);
  }

  /** Shows bytes that the VM printed. Bytes from before this terminal (`replayed`) are shown, but their queries are not answered. */
  show(bytes, replayed = false) {
    if (!replayed) {
      this.#terminal.write(bytes);
      return;
    }
    this.#replaying += 1;
    this.#terminal.write(bytes, () => { this.#replaying -= 1; });
  }

  // A replayed query (cursor position, terminal type) was meant for an earlier terminal. An answer now would reach the VM
  // as typed input, at worst at a password prompt.
  #muteReplay() {
    const mute = () => this.#replaying > 0;
    for (const query of QUERIES) this.#terminal.parser.registerCsiHandler(query, mute);
    this.#terminal.parser.registerDcsHandler({ intermediates: "$", final: "q" }, mute);
    for (const color of COLOR_QUERIES) this.#terminal.parser.registerOscHandler(color, (text) => mute() && text.includes("?"));
  }

  /** Shows a line of this page, apart from the VM's output. Control characters are removed, for it may hold a person's name. */
  note(text) {
    this.#terminal.write(NOTE.join(text.replace(/\p{Cc}/gu, "")));
  }

  /** Resets the terminal to its initial state. */
  clear() {
    this.#terminal.write("\x1bc");
  }

  /** Calls back when everything shown so far is drawn. */
  whenShown(then) {
    this.#terminal.write("", then);
  }

  focus() {
    this.#terminal.focus();
  }

  /** Allows or refuses typing; the cursor shows which. */
  allowTyping(allowed) {
    this.#terminal.options.disableStdin = !allowed;
    this.#terminal.options.cursorBlink = allowed && !still.matches;
    this.#terminal.options.cursorInactiveStyle = allowed ? "outline" : "none";
  }

  get size() {
    return { columns: this.#terminal.cols, rows: this.#terminal.rows };
  }

  get bracketedPaste() {
    return this.#terminal.modes.bracketedPasteMode;
  }

  get selection() {
    return this.#terminal.getSelection();
  }

  /** Returns the whole scrollback, with wrapped lines joined. */
  get text() {
    const buffer = this.#terminal.buffer.normal;
    let text = "";
    for (let at = 0; at < buffer.length; at += 1) {
      const line = buffer.getLine(at);
      const wraps = buffer.getLine(at + 1)?.isWrapped ?? false;
      text += line.translateToString(!wraps) + (wraps ? "" : "\n");
    }
    return `${text.trimEnd()}\n`;
  }

  /** Finds the next (or previous) match; `counted({resultIndex, resultCount})` gets its position. */
  find(text, { back = false, typing = false } = {}) {
    const how = { incremental: typing, decorations: isDark() ? MATCHES.dark : MATCHES.light };
    if (back) this.#search.findPrevious(text, how);
    else this.#search.findNext(text, how);
  }

  onFound(counted) {
    this.#search.onDidChangeResults(counted);
  }

  stopFinding() {
    this.#search.clearDecorations();
    this.#terminal.clearSelection();
  }

  fit() {
    this.#fit.fit();
  }

  dispose() {
    for (const undo of this.#undo) undo();
    this.#terminal.dispose();
  }

  #listen(place) {
    let frame = 0;
    const observer = new ResizeObserver(() => {
      cancelAnimationFrame(frame);
      frame = requestAnimationFrame(() => this.fit());
    });
    observer.observe(place);
    const paste = (event) => this.#paste(event);
    const restyle = () => this.#restyle();
    // Capture, because xterm would send the whole text at once.
    place.addEventListener("paste", paste, true);
    looks.addEventListener("change", restyle);
    this.#undo = [() => observer.disconnect(), () => cancelAnimationFrame(frame), () => looks.removeEventListener("change", restyle)];
  }

  #paste(event) {
    event.preventDefault();
    event.stopImmediatePropagation();
    const text = event.clipboardData?.getData("text/plain") ?? "";
    if (text) this.#tell.pasted(text);
  }

  #restyle() {
    const { theme, fontSize, screenReaderMode } = options();
    Object.assign(this.#terminal.options, { theme, fontSize, screenReaderMode });
    this.fit();
  }

  /** Returns false for a key that must not reach the VM. */
  #key(event) {
    const act = KEYS[chord(event)];
    if (!act) return true;
    if (event.type === "keydown" && act({ tell: this.#tell, screen: this }) !== "native") event.preventDefault();
    return false;
  }
}

function chord({ ctrlKey, shiftKey, altKey, metaKey, code }) {
  return [ctrlKey && "Ctrl", shiftKey && "Shift", altKey && "Alt", metaKey && "Meta", code].filter(Boolean).join("+");
}

const bigger = (by) => () => prefer({ fontSize: prefs().fontSize + by });
const KEYS = {
  "Ctrl+Shift+KeyC": ({ screen }) => navigator.clipboard.writeText(screen.selection),
  // The browser's own paste: it needs no permission, unlike reading the clipboard.
  "Ctrl+Shift+KeyV": () => "native",
  "Ctrl+Shift+KeyF": ({ tell }) => tell.search(),
  "Ctrl+Shift+Equal": bigger(1),
  "Ctrl+Shift+Minus": bigger(-1),
  "Ctrl+Shift+Escape": ({ tell }) => tell.leave(),
  "Ctrl+F6": ({ tell }) => tell.leave(),
};

function options() {
  return {
    allowProposedApi: true,
    scrollback: SCROLLBACK,
    fontFamily: FONTS,
    fontSize: prefs().fontSize,
    lineHeight: 1.15,
    screenReaderMode: prefs().screenReader,
    theme: isDark() ? DARK : LIGHT,
    minimumContrastRatio: 4.5,
    cursorBlink: !still.matches,
    macOptionIsMeta: true,
    rightClickSelectsWord: false,
  };
}

/** A VM's output is not trusted: a link opens in a new window without access to this page. */
function openLink(_event, address) {
  window.open(address, "_blank", "noopener,noreferrer");
}

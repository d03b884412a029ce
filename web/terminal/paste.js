/**
 * Pasting into a serial line: a slow line loses what comes too fast, and a pasted newline runs a command.
 * So text is normalized, counted, confirmed if it is big, and sent in small paced chunks.
 */

export const CHUNK_BYTES = 256;
export const CHUNK_MILLISECONDS = 8;
/** Above this many characters a paste asks first. */
export const BIG = 2048;
/** Unsent bytes in the socket above which a paste waits. */
const CONGESTED = 16 * 1024;
const BEGIN = "\x1b[200~";
const END = "\x1b[201~";

/** Normalizes newlines to CR, a terminal's Enter, and adds the bracketed-paste marks if the guest's shell has requested them. */
export function preparePaste(text, bracketed = false) {
  const typed = text.replace(/\r\n?|\n/g, "\r");
  return bracketed ? BEGIN + typed.replaceAll(END, "") + END : typed;
}

/** Returns `{characters, lines, asks}` of a paste. A final newline counts as a line that runs; `asks`: confirm it first. */
export function measure(text) {
  const lines = text.replace(/\r\n?/g, "\n").split("\n").length;
  return { characters: text.length, lines, asks: lines > 1 || text.length > BIG };
}

export function chunks(bytes, size = CHUNK_BYTES) {
  const count = Math.ceil(bytes.length / size);
  return Array.from({ length: count }, (_, at) => bytes.subarray(at * size, (at + 1) * size));
}

/** Sends one paste after another. `send(bytes)`, `waiting()` bytes not yet taken, `progress(sent, total)` or (0, 0) at the end. */
export class Pacer {
  #line;
  #left = [];
  #total = 0;
  #timer = 0;

  constructor(line) {
    this.#line = line;
  }

  get busy() {
    return this.#left.length > 0;
  }

  push(bytes) {
    this.#left.push(...chunks(bytes));
    this.#total += bytes.length;
    if (!this.#timer) this.#next();
  }

  cancel() {
    clearTimeout(this.#timer);
    this.#timer = 0;
    this.#left = [];
    this.#total = 0;
    this.#line.progress(0, 0);
  }

  #next() {
    if (!this.busy) return this.cancel();
    if (this.#line.waiting() < CONGESTED) this.#line.send(this.#left.shift());
    const left = this.#left.reduce((sum, chunk) => sum + chunk.length, 0);
    this.#line.progress(this.#total - left, this.#total);
    this.#timer = setTimeout(() => this.#next(), CHUNK_MILLISECONDS);
  }
}

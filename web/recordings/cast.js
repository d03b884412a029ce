/**
 * Parses a recording in asciicast v2, piece by piece. Pure.
 *
 * Times are seconds from the recording's beginning; offsets are printed bytes from there.
 */

const encoder = new TextEncoder();
const ASCII = /^[\x00-\x7f]*$/;
/** Bytes that are not UTF-8 arrive as lone surrogates. */
const STRAY = /[\udc80-\udcff]/;
const LONE = /(?<![\ud800-\udbff])[\udc80-\udcff]/g;

/** Returns the bytes that the VM printed. */
export function bytesOf(text) {
  if (!STRAY.test(text)) return encoder.encode(text);
  const parts = [];
  let from = 0;
  for (const { index, 0: stray } of text.matchAll(LONE)) {
    parts.push(encoder.encode(text.slice(from, index)), Uint8Array.of(stray.charCodeAt(0) - 0xdc00));
    from = index + 1;
  }
  parts.push(encoder.encode(text.slice(from)));
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

export class Cast {
  #rest = "";
  #times = [];
  #texts = [];
  /** The printed bytes up to and including each text. */
  #ends = [];

  /** Reads a piece of the file, cut anywhere. Throws SyntaxError if it is not asciicast. */
  add(piece) {
    const lines = (this.#rest + piece).split("\n");
    this.#rest = lines.pop();
    for (const line of lines) if (line.startsWith("[")) this.#event(JSON.parse(line));
  }

  #event([time, code, text]) {
    if (code !== "o") return;
    // Times never decrease, even if the relay's clock was set back.
    this.#times.push(Math.max(time, this.seconds));
    this.#texts.push(text);
    this.#ends.push(this.bytes + (ASCII.test(text) ? text.length : bytesOf(text).length));
  }

  get seconds() {
    return this.#times.at(-1) ?? 0;
  }

  get bytes() {
    return this.#ends.at(-1) ?? 0;
  }

  /** The number of prints. */
  get length() {
    return this.#times.length;
  }

  /** Returns the number of prints up to a time. */
  until(seconds) {
    return upper(this.#times, seconds);
  }

  timeOf(print) {
    return this.#times[print];
  }

  /** Returns the time when the byte at an offset was printed; behind the end, the end's time. */
  timeAt(offset) {
    return this.#times[this.printAt(offset)] ?? this.seconds;
  }

  /** Returns the index of the print with the byte at an offset; 0 before the first, the number of prints behind the last. */
  printAt(offset) {
    return upper(this.#ends, offset);
  }

  /** Returns the printed bytes before a print. */
  offsetOf(print) {
    return print > 0 ? this.#ends[print - 1] : 0;
  }

  /** Returns the bytes of the prints from `from` to `to`, without `to`. */
  printed(from, to) {
    return bytesOf(this.#texts.slice(from, to).join(""));
  }
}

/** Returns the first index whose value is greater. */
function upper(values, value) {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle] > value) high = middle;
    else low = middle + 1;
  }
  return low;
}

/**
 * A recording as it comes from the API: asciicast v2, read piece by piece. Pure.
 *
 * Times are seconds from the recording's beginning; offsets are printed bytes from there.
 */

const encoder = new TextEncoder();
const ASCII = /^[\x00-\x7f]*$/;
/** Bytes that were no UTF-8 arrive as lone surrogates. */
const STRAY = /[\udc80-\udcff]/;
const LONE = /(?<![\ud800-\udbff])[\udc80-\udcff]/g;

/** The bytes that the VM printed. */
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
  /** Printed bytes up to and with each text. */
  #ends = [];

  /** A piece of the file, cut anywhere. Throws SyntaxError for what is no asciicast. */
  add(piece) {
    const lines = (this.#rest + piece).split("\n");
    this.#rest = lines.pop();
    for (const line of lines) if (line.startsWith("[")) this.#event(JSON.parse(line));
  }

  #event([time, code, text]) {
    if (code !== "o") return;
    // A clock that was set back does not turn the recording back.
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

  /** How many prints there are. */
  get length() {
    return this.#times.length;
  }

  /** How many prints were made up to a time. */
  until(seconds) {
    return upper(this.#times, seconds);
  }

  timeOf(print) {
    return this.#times[print];
  }

  /** When the byte at an offset was printed; the end's time behind the end. */
  timeAt(offset) {
    return this.#times[this.printAt(offset)] ?? this.seconds;
  }

  /** The print that has the byte at an offset; the first for what lies before, their number for what lies behind. */
  printAt(offset) {
    return upper(this.#ends, offset);
  }

  /** Printed bytes before a print. */
  offsetOf(print) {
    return print > 0 ? this.#ends[print - 1] : 0;
  }

  /** The bytes of prints `from` up to, not with, `to`. */
  printed(from, to) {
    return bytesOf(this.#texts.slice(from, to).join(""));
  }
}

/** The first place whose value is greater. */
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

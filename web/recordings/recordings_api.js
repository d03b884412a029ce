/** The calls of the recordings' page. `vm` is a path (ui/route.js); all throw ApiError. */

import { readPages, valueOf } from "../ui/pages.js";

const NEXT_SEGMENT = "x-console-segment-next";
const NEXT_OFFSET = "x-console-offset-next";

/** Lists recordings: `{value, complete, hold, archive}`. */
export async function readRecordings(api, vm, signal) {
  const pages = await readPages(api, `${vm}/serialConsole/recordings`, signal);
  return { ...pages.at(-1), value: valueOf(pages) };
}

/** Yields the recording's asciicast in pieces, as they arrive. */
export async function* readCast(api, vm, id, signal) {
  for (let next = null; ; ) {
    const answer = await api.read(`${vm}/serialConsole/transcript?${query({ format: "cast", recording: id, segment: next })}`, signal);
    yield await answer.text();
    const after = answer.headers.get(NEXT_SEGMENT);
    if (!after || after === next) return;
    next = after;
  }
}

/** Downloads one format of a recording as a file. `read(bytes)` gets the count so far. */
export async function readFile(api, vm, id, format, read, signal) {
  const [name, header] = format === "cast" ? ["segment", NEXT_SEGMENT] : ["offset", NEXT_OFFSET];
  const pieces = [];
  for (let next = null, bytes = 0; ; ) {
    const answer = await api.read(`${vm}/serialConsole/transcript?${query({ format, recording: id, [name]: next })}`, signal);
    const piece = await answer.blob();
    pieces.push(piece);
    read((bytes += piece.size));
    const after = answer.headers.get(header);
    if (!after || after === next || (name === "offset" && piece.size === 0)) return new Blob(pieces);
    next = after;
  }
}

/** Searches for words: `{value, next}`; `cursor` continues. */
export const searchRecordings = (api, vm, words, cursor, signal) =>
  api.ask("GET", `${vm}/serialConsole/transcript/search?${query({ q: words, context: 1, cursor })}`, null, signal);

/** Yields the parts of a verification, as they arrive. */
export async function* verifyRecordings(api, vm, signal) {
  for (let segment = null; ; ) {
    const part = await api.ask("GET", `${vm}/serialConsole/transcript/verification?${query({ segment })}`, null, signal);
    yield part;
    if (part.next === null || part.next === undefined) return;
    segment = part.next;
  }
}

function query(fields) {
  return new URLSearchParams(Object.entries(fields).filter(([, value]) => value !== null && value !== undefined));
}

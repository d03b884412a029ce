import assert from "node:assert/strict";
import { test } from "node:test";

import { bytesOf, Cast } from "../../web/recordings/cast.js";
import { advance, drawnFrom, otherMark, otherSpeed } from "../../web/recordings/playhead.js";
import { behindWords, clock, interruptedWords, lasting, lengthOf, lengthWords, markCounts, moment, size, together, verdict, whoWords } from "../../web/recordings/recording_words.js";
import { readCast, readFile, verifyRecordings } from "../../web/recordings/recordings_api.js";
import { readRoute, recordingsRoute } from "../../web/ui/route.js";
import { keptWords } from "../../web/session/words.js";

const VM = "/subscriptions/5b5c/resourceGroups/rg-web/providers/Microsoft.Compute/virtualMachines/web-01";
const HEADER = '{"version":2,"width":80,"height":24}\n';

function cast(...prints) {
  const made = new Cast();
  made.add(HEADER + prints.map(([time, text]) => `${JSON.stringify([time, "o", text])}\n`).join(""));
  return made;
}

test("a recording comes in pieces that are cut anywhere, and only what was printed counts", () => {
  const text = `${HEADER}[0.5,"o","login: "]\n[0.6,"e","{}"]\n[1.25,"o","ada\\r\\n"]\n[2,"k","{}"]\n`;
  for (const cut of [1, 7, 40, 60]) {
    const made = new Cast();
    for (let at = 0; at < text.length; at += cut) made.add(text.slice(at, at + cut));
    assert.deepEqual([made.length, made.seconds, made.bytes], [2, 1.25, 12]);
    assert.deepEqual(Buffer.from(made.printed(0, 2)).toString(), "login: ada\r\n");
  }
});

test("bytes that are no text come back as they were, beside characters of every length", () => {
  assert.deepEqual([...bytesOf("a\udcff\udc80é😀")], [0x61, 0xff, 0x80, ...Buffer.from("é😀")]);
  assert.deepEqual([...bytesOf("😀")], [...Buffer.from("😀")]);
  const made = cast([0, "é\udcff"], [1, "x"]);
  assert.equal(made.bytes, 4);
  assert.equal(made.timeAt(3), 1);
});

test("places and times lead to each other", () => {
  const made = cast([0, "aaaa"], [1, "bb"], [1, "cc"], [9, "d"]);
  assert.deepEqual([made.until(-1), made.until(0), made.until(1), made.until(5), made.until(99)], [0, 1, 3, 3, 4]);
  assert.deepEqual([made.timeAt(0), made.timeAt(3), made.timeAt(4), made.timeAt(8), made.timeAt(99)], [0, 0, 1, 9, 9]);
  assert.deepEqual([made.offsetOf(0), made.offsetOf(1), made.offsetOf(3)], [0, 4, 8]);
});

test("a print is found by a byte of it", () => {
  const made = cast([0, "aaaa"], [0, "bb"], [1, "cc"]);
  assert.deepEqual([-5, 0, 3, 4, 6, 8, 99].map((offset) => made.printAt(offset)), [0, 0, 0, 1, 2, 3, 3]);
});

test("a screen is drawn anew only to go back, or where much lies between, and never from far before", () => {
  const made = cast(...Array.from({ length: 100 }, (_, at) => [at < 50 ? 0 : at, "0123456789"]));
  assert.equal(drawnFrom(made, 0, 5, 100), 0);
  assert.equal(drawnFrom(made, 20, 25, 100), 20, "it goes on");
  assert.equal(drawnFrom(made, 0, 90, 100), 80, "what lies far before is left out");
  assert.equal(drawnFrom(made, 90, 89, 100), 79, "nor is it drawn again to go back");
  assert.equal(drawnFrom(made, 90, 3, 100), 0);
  assert.equal(drawnFrom(made, 90, 90, 100), 90);
});

test("a clock that was set back does not turn a recording back", () => {
  assert.equal(cast([5, "a"], [3, "b"]).seconds, 5);
});

test("an empty recording has nothing to play", () => {
  const made = cast();
  assert.deepEqual([made.seconds, made.bytes, made.timeAt(0), made.until(0)], [0, 0, 0, 0]);
  assert.equal(advance(made, 0, 1, { speed: 1, skipIdle: true }), 0);
});

test("playing goes as fast as told, and stops at the end", () => {
  const made = cast([0, "a"], [1, "b"], [100, "c"]);
  assert.equal(advance(made, 0, 0.5, { speed: 2, skipIdle: false }), 1);
  assert.equal(advance(made, 50, 1, { speed: 1, skipIdle: false }), 51);
  assert.equal(advance(made, 99, 60, { speed: 16, skipIdle: false }), 100);
});

test("of a long silence two seconds are played, and the rest is skipped", () => {
  const made = cast([0, "a"], [1, "b"], [100, "c"]);
  const how = { speed: 1, skipIdle: true };
  assert.equal(advance(made, 1, 1.5, how), 2.5);
  assert.equal(advance(made, 2.5, 0.6, how), 100);
  assert.equal(advance(made, 50, 0.1, how), 100);
});

test("speeds go up and down between their ends", () => {
  assert.deepEqual([otherSpeed(1, 1), otherSpeed(16, 1), otherSpeed(0.5, -1), otherSpeed(4, -1)], [2, 16, 0.5, 2]);
});

test("from mark to mark", () => {
  const marks = [{ time: 1 }, { time: 5 }, { time: 9 }];
  assert.equal(otherMark(marks, 5, 1).time, 9);
  assert.equal(otherMark(marks, 5.5, -1).time, 1);
  assert.equal(otherMark(marks, 7, -1).time, 5);
  assert.equal(otherMark(marks, 9, 1), null);
  assert.equal(otherMark(marks, 0, -1), null);
});

test("times, lengths and sizes as people say them", () => {
  assert.deepEqual([clock(7.9), clock(725), clock(3723)], ["0:07", "12:05", "1:02:03"]);
  assert.deepEqual([lasting(45.2), lasting(720), lasting(3600), lasting(11100)], ["45 s", "12 min", "1 h", "3 h 5 min"]);
  assert.deepEqual([size(999), size(1500), size(2_000_000), size(45_000_000)], ["999 B", "1.5 kB", "2.0 MB", "45 MB"]);
  const [began, last] = ["2026-11-24T10:00:00Z", "2026-11-24T10:01:00Z"];
  assert.equal(lengthOf({ began, last, ended: null }), 60);
  assert.equal(lengthOf({ began, last, ended: "2026-11-24T10:02:00Z" }), 120);
});

test("a recording without an end goes on, or is interrupted: then it says since when, and what may be lost", () => {
  const [began, last] = ["2026-11-24T10:00:00Z", "2026-11-24T10:01:00Z"];
  const of = (more) => ({ began, last, ended: null, lastSign: null, ...more });
  assert.equal(lengthWords(of({ state: "running" })), "1 min, goes on");
  assert.equal(lengthWords(of({ state: "ended", ended: "2026-11-24T10:02:00Z" })), "2 min");
  const gone = of({ state: "interrupted", lastSign: "2026-11-24T10:03:00Z" });
  assert.equal(lengthWords(gone), "1 min, interrupted");
  assert.match(interruptedWords(gone), /last sign of life on .*10:03.*after .*10:01.*comes when the relay returns.*else it is lost/);
  assert.equal(interruptedWords(of({ state: "running" })), null);
});

test("everybody who was there is named once, watchers as such", () => {
  const person = (name, mode) => ({ name, mode });
  assert.equal(whoWords({ people: [person("Ada", "watch"), person("Ada", "write"), person("Ada", "watch"), person("Alan", "watch")] }), "Ada, Alan (watched)");
  assert.equal(whoWords({ people: [] }), "Nobody was there");
});

test("what happened is counted, and what is grave comes first", () => {
  const marks = ["boot", "reset", "boot", "panic", "new"].map((kind) => ({ kind }));
  assert.deepEqual(markCounts({ marks }).map(({ words }) => words), ["Panic", "Boot × 2", "Reset", "new"]);
});

const PART = { complete: true, segments: 2, first: 0, end: 1000, hash: "aa", signed: { time: "2026-11-24T10:00:00Z", offset: 900 }, findings: [] };

test("a verification in parts is one answer", () => {
  const bad = { ...PART, complete: false, segments: 1, end: 2000, hash: "bb", signed: null, findings: [{ fault: "altered" }] };
  const report = together([PART, bad]);
  assert.deepEqual([report.complete, report.segments, report.first, report.end, report.hash, report.signed.offset, report.findings.length], [false, 3, 0, 2000, "bb", 900, 1]);
});

test("the verdict is plain: complete, or how many faults, what retention dropped, what was signed", () => {
  assert.match(verdict(PART).head, /^Complete: 1\.0 kB in 2 segments/);
  assert.equal(verdict(PART).tone, "good");
  const dropped = verdict({ ...PART, first: 500, signed: null, findings: [{ fault: "dropped" }] });
  assert.match(dropped.more.join(" "), /oldest 500 B were dropped.*Nothing is signed yet/);
  const faulty = verdict({ ...PART, complete: false, findings: [{ fault: "altered" }, { fault: "dropped" }] });
  assert.deepEqual([faulty.tone, faulty.head], ["bad", "1 fault in 2 segments"]);
  assert.equal(verdict({ ...PART, segments: 0 }).head, "Nothing is archived yet");
});

test("a record that is on its way is told from one that is complete and from one with a fault", () => {
  const behind = { state: "behind", records: 3, recorded: "2026-11-24T10:00:00Z" };
  assert.match(behindWords(behind), /^The archive is 3 records behind: the newest was recorded at .* on its way\. Nothing is lost/);
  assert.match(behindWords({ ...behind, records: 1 }), /1 record behind/);
  assert.match(behindWords({ state: "unknown", records: 0, recorded: null }), /could not be asked/);
  assert.equal(behindWords({ state: "current", records: 0, recorded: behind.recorded }), null);
  assert.equal(behindWords(null), null);
  const said = verdict({ ...PART, archive: behind });
  assert.equal(said.tone, "good");
  assert.match(said.behind, /3 records behind/);
  assert.match(verdict({ ...PART, segments: 0, archive: behind }).behind, /3 records behind/);
  assert.equal(verdict(PART).behind, null);
  assert.equal(together([PART, { ...PART, archive: behind }]).archive, behind);
});

test("recordings of one minute are told from each other", () => {
  assert.notEqual(moment("2026-11-24T10:00:05Z"), moment("2026-11-24T10:00:45Z"));
});

test("the recordings of a VM, one of them, and a moment in it have addresses", () => {
  const place = { id: "0006-00ff", offset: 12, q: "out of memory" };
  assert.deepEqual(readRoute(recordingsRoute(VM)), { vm: VM, recordings: true, id: null, offset: null, words: null });
  assert.deepEqual(readRoute(recordingsRoute(VM, place)), { vm: VM, recordings: true, id: "0006-00ff", offset: 12, words: "out of memory" });
  assert.deepEqual(readRoute("#/recordings/elsewhere?id=x"), { vm: null });
  assert.equal(readRoute(`${recordingsRoute(VM)}?offset=-1`).offset, null);
});

/** An API that answers from a list of [body, headers]. */
function scripted(answers) {
  const asked = [];
  const next = (path) => {
    asked.push(path);
    const [body, headers = {}] = answers.shift();
    return { text: async () => body, blob: async () => new Blob([body]), json: async () => body, headers: { get: (name) => headers[name] ?? null } };
  };
  return { asked, read: async (path) => next(path), ask: async (_method, path) => next(path).json() };
}

test("a cast is read to its end, page after page", async () => {
  const api = scripted([["one", { "x-console-segment-next": "0.5" }], ["two", {}]]);
  const pieces = [];
  for await (const piece of readCast(api, "/vm", "e1")) pieces.push(piece);
  assert.deepEqual(pieces, ["one", "two"]);
  assert.deepEqual(api.asked, ["/vm/serialConsole/transcript?format=cast&recording=e1", "/vm/serialConsole/transcript?format=cast&recording=e1&segment=0.5"]);
});

test("a download goes on by offset until nothing more comes, and tells how far it is", async () => {
  const api = scripted([["abc", { "x-console-offset-next": "3" }], ["d", { "x-console-offset-next": "4" }], ["", { "x-console-offset-next": "4" }]]);
  const told = [];
  const file = await readFile(api, "/vm", "e1", "raw", (bytes) => told.push(bytes));
  assert.equal(await file.text(), "abcd");
  assert.deepEqual(told, [3, 4, 4]);
});

test("a verification is asked part by part", async () => {
  const api = scripted([[{ next: "2" }], [{ next: null }]]);
  const parts = [];
  for await (const part of verifyRecordings(api, "/vm")) parts.push(part);
  assert.equal(parts.length, 2);
  assert.ok(api.asked[1].endsWith("verification?segment=2"));
});

test("whoever types is told what becomes of it", () => {
  assert.equal(keptWords({ kept: "counted", mode: "write" }), "");
  assert.match(keptWords({ kept: "masked", mode: "write" }), /passwords as asterisks/);
  assert.match(keptWords({ kept: "echoed", mode: "write" }), /echoes/);
  assert.equal(keptWords({ kept: "masked", mode: "watch" }), "Typed lines are recorded");
});

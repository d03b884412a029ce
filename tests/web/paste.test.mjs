import assert from "node:assert/strict";
import { mock, test } from "node:test";

import { BIG, CHUNK_BYTES, CHUNK_MILLISECONDS, measure, Pacer, preparePaste } from "../../web/terminal/paste.js";

test("every kind of newline becomes Enter", () => {
  assert.equal(preparePaste("a\nb\r\nc\rd"), "a\rb\rc\rd");
});

test("a guest that marks pastes gets the marks, and pasted text cannot end them early", () => {
  assert.equal(preparePaste("a\x1b[201~b", true), "\x1b[200~ab\x1b[201~");
});

test("one short line is pasted without a question, more asks", () => {
  assert.equal(measure("ls").asks, false);
  assert.equal(measure("ls\n").asks, true);
  assert.equal(measure("x".repeat(BIG + 1)).asks, true);
  assert.deepEqual(measure("a\r\nb\nc").lines, 3);
});

test("a paste goes out in order, in chunks, waits for a slow line, and loses nothing", () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const sent = [];
  let waiting = 0;
  const pacer = new Pacer({ send: (bytes) => sent.push(bytes), waiting: () => waiting, progress: () => {} });
  const text = new TextEncoder().encode("0123456789".repeat(100));
  pacer.push(text);
  mock.timers.tick(CHUNK_MILLISECONDS);
  assert.equal(sent.length, 2);
  waiting = 1e6;
  mock.timers.tick(CHUNK_MILLISECONDS * 5);
  assert.equal(sent.length, 2);
  waiting = 0;
  pacer.push(new TextEncoder().encode("typed meanwhile"));
  while (pacer.busy) mock.timers.tick(CHUNK_MILLISECONDS);
  assert.ok(sent.every((chunk) => chunk.length <= CHUNK_BYTES));
  assert.equal(new TextDecoder().decode(Buffer.concat(sent)), `${"0123456789".repeat(100)}typed meanwhile`);
  mock.timers.reset();
});

test("a cancelled paste stops where it is", () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const sent = [];
  const pacer = new Pacer({ send: (bytes) => sent.push(bytes), waiting: () => 0, progress: () => {} });
  pacer.push(new Uint8Array(CHUNK_BYTES * 4));
  pacer.cancel();
  mock.timers.tick(1000);
  assert.equal(sent.length, 1);
  mock.timers.reset();
});

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { answerFrame, CLOSES, closeWords, dialAddress, MAX_TYPED_FRAME, readPrinted, readSaid, subprotocols, typedFrames, Wire } from "../../web/session/protocol.js";

const protocol = readFileSync(new URL("../../docs/protocol.md", import.meta.url), "utf8");
const listed = protocol.split("Close codes:")[1].split("The close reason")[0];
const codes = [...listed.matchAll(/\b(1000|4\d{3})\b ([A-Za-z]+)/g)].map(([, code, name]) => [Number(code), name]);

test("the protocol lists the close codes that the page knows, and no other", () => {
  assert.deepEqual(codes.map(([code]) => code).sort(), Object.keys(CLOSES).map(Number).sort());
});

for (const [code, name] of codes) {
  test(`close ${code} ${name} has its words and what to do`, () => {
    const words = closeWords(code);
    assert.ok(words.words.length > 10);
    assert.ok(words.fix.length > 10);
    assert.ok(["now", "later", "choice"].includes(words.again));
    if (/^[A-Z]/.test(name)) assert.equal(words.code, name);
  });
}

test("no two close codes say the same", () => {
  const all = Object.values(CLOSES).map((one) => one.words);
  assert.equal(new Set(all).size, all.length);
});

test("a session that the service ended for a reason without a code of its own has ended", () => {
  assert.deepEqual([closeWords(4000).code, closeWords(4000).again], ["SessionEnded", "choice"]);
});

test("any other close is a lost connection", () => {
  for (const code of [1001, 1005, 1006, 1011, 1012]) assert.equal(closeWords(code).code, "ConnectionLost");
});

function frame(offset, bytes) {
  const buffer = new ArrayBuffer(8 + bytes.length);
  new DataView(buffer).setBigUint64(0, BigInt(offset));
  new Uint8Array(buffer, 8).set(bytes);
  return buffer;
}

test("a printed frame is an offset of eight bytes, then the bytes", () => {
  const { offset, bytes } = readPrinted(frame(2 ** 40 + 1, [0, 255, 27]));
  assert.equal(offset, 2 ** 40 + 1);
  assert.deepEqual([...bytes], [0, 255, 27]);
  assert.throws(() => readPrinted(new ArrayBuffer(7)), RangeError);
});

test("a text frame is an object with a type", () => {
  assert.deepEqual(readSaid('{"type":"people","writer":null,"watchers":2}'), { type: "people", writer: null, watchers: 2 });
  for (const bad of ["[]", "null", "1", "{}", "nonsense"]) assert.throws(() => readSaid(bad), SyntaxError);
});

test("the token travels as a subprotocol, never in the address", () => {
  assert.equal(dialAddress("wss://relay.example/", null), "wss://relay.example/v1/console");
  assert.equal(dialAddress("wss://relay.example", { epoch: "a b", offset: 7 }), "wss://relay.example/v1/console?epoch=a%20b&offset=7");
  assert.deepEqual(subprotocols("T"), ["serial-console.v1", "serial-console.token.T"]);
});

test("typed bytes are cut to the relay's longest frame", () => {
  const frames = [...typedFrames(new Uint8Array(MAX_TYPED_FRAME * 2 + 1))];
  assert.deepEqual(frames.map((one) => one.length), [MAX_TYPED_FRAME, MAX_TYPED_FRAME, 1]);
});

test("an answer is the one text frame that a browser sends", () => {
  assert.deepEqual(JSON.parse(answerFrame("a1", false)), { type: "answer", ask: "a1", allow: false });
});

class FakeSocket {
  OPEN = 1;
  readyState = 1;
  bufferedAmount = 0;
  sent = [];
  close(code) {
    this.closedWith = code;
  }
  send(data) {
    this.sent.push(data);
  }
  constructor(address, protocols) {
    Object.assign(this, { address, protocols });
    FakeSocket.last = this;
  }
}

function wired() {
  const events = [];
  const wire = new Wire({ relay: "ws://r", token: "T", resume: null }, (event) => events.push(event), FakeSocket);
  return { wire, events, socket: FakeSocket.last };
}

test("frames become events and a close comes last", () => {
  const { events, socket } = wired();
  socket.onmessage({ data: '{"type":"port","state":"lost"}' });
  socket.onmessage({ data: frame(3, [65]) });
  socket.onclose({ code: 4002, reason: "IdleTimeout" });
  socket.onclose({ code: 1006, reason: "" });
  assert.deepEqual(events.map((one) => one.type), ["port", "printed", "closed"]);
});

test("after hanging up nothing is told any more", () => {
  const { wire, events, socket } = wired();
  wire.hangUp();
  socket.onmessage({ data: '{"type":"port","state":"lost"}' });
  socket.onclose({ code: 1000, reason: "" });
  assert.equal(socket.closedWith, 1000);
  assert.deepEqual(events, []);
});

test("a frame that is not of the protocol ends the line as lost", () => {
  const { events, socket } = wired();
  socket.onmessage({ data: "nonsense" });
  assert.deepEqual(events, [{ type: "closed", code: 1006, reason: "" }]);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import message from '../../../dev/event_hubs/node_modules/rhea/lib/message.js';
import {
  DATA, DecodeError, HEADER, MESSAGE_ANNOTATIONS,
  binary, long, mapEntries, mapSection, sections, shortString, symbol, text, timestamp, valueEnd,
} from '../../../dev/event_hubs/amqp_bytes.js';
import { stamp, unpack, withLastEnqueued } from '../../../dev/event_hubs/events.js';
import { keyHash } from '../../../dev/event_hubs/partition_hash.js';

const BATCH = 0x80013700;

function sample(body = Buffer.from('body\0\0'), annotations = { 'x-opt-partition-key': 'web-01', other: 7 }) {
  return message.encode({
    durable: true, message_annotations: annotations, application_properties: { a: 1 },
    body: message.data_section(body),
  });
}

test('every kind of value ends where the next one starts', () => {
  const values = [
    [0x40], [0x50, 1], [0x60, 1, 2], [0x70, 1, 2, 3, 4], [0x80, 1, 2, 3, 4, 5, 6, 7, 8], [0x98, ...Array(16).fill(0)],
    [0xa1, 2, 65, 66], [0xb1, 0, 0, 0, 1, 65], [0xc0, 1, 0], [0xd0, 0, 0, 0, 4, 0, 0, 0, 0],
    [0x00, 0x53, 0x75, 0xa0, 0],
  ];
  const bytes = Buffer.from(values.flat());
  let at = 0;
  for (const value of values) {
    assert.equal(valueEnd(bytes, at), at + value.length);
    at += value.length;
  }
});

test('a value that is cut short, missing or of no type is refused', () => {
  for (const bytes of [[], [0x81, 0], [0xa1], [0xa1, 5, 1], [0xb1, 0, 0], [0x10], [0x00, 0x53]]) {
    assert.throws(() => valueEnd(Buffer.from(bytes), 0), DecodeError);
  }
});

test('the sections of a message come in order and cover it', () => {
  const raw = sample();
  const found = [...sections(raw)];
  assert.deepEqual(found.map(({ code }) => code), [HEADER, MESSAGE_ANNOTATIONS, 0x73, 0x74, DATA]);
  assert.equal(found.at(-1).end, raw.length);
  assert.deepEqual(binary(raw, found.at(-1).value), Buffer.from('body\0\0'));
});

test('a map section that was written reads back', () => {
  const raw = mapSection(MESSAGE_ANNOTATIONS, [symbol('k'), shortString('ü'), symbol('n'), long(-5)], 2);
  const [{ value }] = sections(raw);
  const [first, second] = mapEntries(raw, value);
  assert.deepEqual([first.key, text(raw, first.value), second.key], ['k', 'ü', 'n']);
  assert.deepEqual(second.bytes, Buffer.concat([symbol('n'), long(-5)]));
  assert.equal(timestamp(1).length, 9);
});

test('a stamped event keeps all the sender gave but its own stamps', () => {
  const raw = sample(undefined, { 'x-opt-offset': 'forged', 'x-opt-partition-key': 'web-01', other: 7 });
  const { key, events } = unpack(raw, 0);
  assert.equal(key, 'web-01');
  const stamped = message.decode(stamp(events[0], 12, 345, 1_700_000_000_000));
  assert.deepEqual({ ...stamped.message_annotations }, {
    'x-opt-partition-key': 'web-01', other: 7,
    'x-opt-sequence-number': 12, 'x-opt-offset': '345', 'x-opt-enqueued-time': new Date(1_700_000_000_000),
  });
  assert.deepEqual(stamped.body.content, Buffer.from('body\0\0'));
  assert.equal(stamped.application_properties.a, 1);
  assert.equal(stamped.durable, true);
});

test('a batch is its events, in order', () => {
  const bodies = [Buffer.from('one'), Buffer.alloc(300, 2)];
  const raw = message.encode({ body: message.data_sections(bodies.map((body) => sample(body))) });
  const { events } = unpack(raw, BATCH);
  const read = events.map((event, i) => message.decode(stamp(event, i, 0, 0)).body.content);
  assert.deepEqual(read, bodies);
});

test('a damaged message is refused', () => {
  const raw = sample();
  for (let length = 1; length < raw.length; length++) {
    const cut = raw.subarray(0, length);
    try {
      unpack(cut, 0); // whole sections may be missing; half ones may not
      assert.equal([...sections(cut)].at(-1).end, length);
    } catch (error) {
      assert.ok(error instanceof DecodeError, `${length} bytes: ${error.stack}`);
    }
  }
  assert.throws(() => unpack(Buffer.alloc(1 << 20), 0), DecodeError); // nested a million deep
});

test('what is told of the last event stands between header and annotations', () => {
  const stamped = stamp(unpack(sample(), 0).events[0], 0, 0, 0);
  const told = withLastEnqueued(stamped, { last: 9, offset: '90', time: 5 }, 6);
  assert.deepEqual([...sections(told)].slice(0, 3).map(({ code }) => code), [HEADER, 0x71, MESSAGE_ANNOTATIONS]);
  assert.equal(message.decode(told).delivery_annotations.last_enqueued_sequence_number, 9);
});

test('a key has one hash, whatever its length', () => {
  const hashes = ['', 'a', 'web-01', 'twelve bytes', 'more than twelve bytes in the key'].map(keyHash);
  assert.equal(new Set(hashes).size, hashes.length);
  for (const hash of hashes) assert.ok(hash >= -32768 && hash <= 32767);
});

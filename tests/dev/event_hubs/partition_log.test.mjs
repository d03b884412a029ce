import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { crc32, crc32ByTable } from '../../../dev/event_hubs/crc32.js';
import { BadPosition, LogUnwritable, PartitionLog } from '../../../dev/event_hubs/partition_log.js';

const SIZES = { segmentBytes: 1000, retentionBytes: 3000 };
const event = (text = 'x') => ({ header: Buffer.alloc(0), annotations: [], key: null, rest: Buffer.from(text) });

function folder(t) {
  const made = fs.mkdtempSync(path.join(os.tmpdir(), 'partition-log-'));
  t.after(() => fs.rmSync(made, { recursive: true }));
  return made;
}

function filled(options, count) {
  let time = 0;
  const log = new PartitionLog({ now: () => time++, ...options });
  for (let i = 0; i < count; i++) log.append([event(`event ${i}`)]);
  return log;
}

const texts = (log) => log.events.map(({ data }) => /event \d+/.exec(data.toString('latin1'))[0]);
const numbered = (first, end) => Array.from({ length: end - first }, (_, i) => `event ${first + i}`);
const lastFile = (at) => path.join(at, fs.readdirSync(at).sort().at(-1));

test('positions: sequence number, offset, time, latest', () => {
  const log = filled({}, 5);
  const { offset } = log.at(2);
  assert.deepEqual(['-1', 2, '4'].map((value) => log.find('sequence', false, value)), [0, 3, 5]);
  assert.equal(log.find('sequence', true, 2), 2);
  assert.deepEqual([log.find('offset', false, offset), log.find('offset', true, offset)], [3, 2]);
  assert.deepEqual([log.find('time', false, 2), log.find('time', true, 2)], [3, 2]);
  assert.equal(log.find('offset', false, '@latest'), 5);
  for (const bad of ['', 'x']) assert.throws(() => log.find('offset', false, bad), BadPosition);
});

test('an empty log says so', () => {
  assert.deepEqual(new PartitionLog().summary(), { begin: 0, last: -1, offset: '-1', time: 0, empty: true });
});

test('what was written is read again, and numbers go on', (t) => {
  const at = folder(t);
  const before = filled({ folder: at }, 3);
  before.close();
  const after = new PartitionLog({ folder: at });
  assert.deepEqual(after.events, before.events);
  after.append([event('event 3')]);
  assert.deepEqual(texts(after), numbered(0, 4));
  assert.equal(after.at(3).offset, before.at(2).offset + before.at(2).data.length);
  after.close();
});

test('a tail cut at any byte, or with any byte changed, loses that record alone', (t) => {
  const at = folder(t);
  filled({ folder: at }, 2).close();
  const two = fs.statSync(lastFile(at)).size;
  const whole = (() => {
    const log = new PartitionLog({ folder: at });
    log.append([event('event 2')]);
    log.close();
    return fs.readFileSync(lastFile(at));
  })();
  const reopened = (bytes) => {
    fs.writeFileSync(lastFile(at), bytes);
    const log = new PartitionLog({ folder: at });
    log.close();
    assert.deepEqual(texts(log), numbered(0, 2));
    assert.equal(fs.statSync(lastFile(at)).size, two);
  };
  for (let length = two; length < whole.length; length++) reopened(whole.subarray(0, length));
  for (let i = two; i < whole.length; i++) {
    const damaged = Buffer.from(whole);
    damaged[i] ^= 1;
    reopened(damaged);
  }
});

test('segments roll, the oldest go, on disk and in memory alike', (t) => {
  const at = folder(t);
  for (const options of [{ ...SIZES }, { ...SIZES, folder: at }]) {
    const log = filled(options, 200);
    assert.ok(log.bytes >= 3000 && log.bytes < 5000, `${log.bytes} bytes`);
    assert.equal(log.next, 200);
    assert.deepEqual(texts(log), numbered(log.first, 200));
    if (!options.folder) continue;
    log.close();
    assert.equal(fs.readdirSync(at).length, log.segmentCount);
    const again = new PartitionLog({ folder: at, ...SIZES });
    assert.deepEqual([again.first, again.next, again.bytes], [log.first, log.next, log.bytes]);
    again.close();
  }
});

test('before a hole everything is dropped, and numbers never go back', (t) => {
  const at = folder(t);
  filled({ folder: at, segmentBytes: 1000 }, 60).close();
  const names = fs.readdirSync(at).sort();
  fs.rmSync(path.join(at, names[1]));
  const log = new PartitionLog({ folder: at });
  log.close();
  assert.equal(log.first, Number(names[2].slice(0, 20)));
  assert.deepEqual(texts(log), numbered(log.first, 60));
});

test('when the next file cannot be made nothing changes, and later all goes on', (t) => {
  const at = folder(t);
  const log = filled({ folder: at, segmentBytes: 100 }, 3);
  fs.renameSync(at, `${at}-away`);
  assert.throws(() => log.append([event('event 3')]), LogUnwritable);
  assert.equal(log.next, 3);
  fs.renameSync(`${at}-away`, at);
  log.append([event('event 3')]);
  log.close();
  assert.deepEqual(texts(new PartitionLog({ folder: at })), numbered(0, 4));
});

test('both ways to a checksum agree', () => {
  const bytes = Buffer.from('123456789');
  assert.equal(crc32ByTable(bytes), 0xcbf43926); // the standard's check value
  assert.equal(crc32(bytes), crc32ByTable(bytes));
  assert.equal(crc32(bytes.subarray(4), crc32(bytes.subarray(0, 4))), crc32(bytes));
  assert.equal(crc32ByTable(bytes.subarray(4), crc32ByTable(bytes.subarray(0, 4))), crc32(bytes));
});

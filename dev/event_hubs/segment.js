// One file of a partition's log. A record is written whole or not at all; whatever a kill cut short is found by its
// checksum and cut off at the next start.
//
// A record, big-endian: u32 size of the message, u32 CRC-32 of all that follows, u64 sequence number, u64 offset,
// u64 milliseconds since 1970, the stamped message. The file is named after its first sequence number.

import fs from 'node:fs';
import path from 'node:path';
import { crc32 } from './crc32.js';

const HEAD = 32;
const CHECKED_FROM = 8;

/** Records of events that start at sequence number `first`, in one buffer. */
export function encode(events, first) {
  return Buffer.concat(events.flatMap((event, i) => [recordHead(event, first + i), event.data]));
}

function recordHead(event, sequence) {
  const head = Buffer.allocUnsafe(HEAD);
  head.writeUInt32BE(event.data.length, 0);
  head.writeBigUInt64BE(BigInt(sequence), 8);
  head.writeBigUInt64BE(BigInt(event.offset), 16);
  head.writeBigUInt64BE(BigInt(event.time), 24);
  head.writeUInt32BE(crc32(event.data, crc32(head.subarray(CHECKED_FROM))), 4);
  return head;
}

/** {events, end}: the intact records from `first` on, and where they end in `bytes`. */
export function decode(bytes, first) {
  const events = [];
  let at = 0;
  while (at + HEAD <= bytes.length) {
    const end = at + HEAD + bytes.readUInt32BE(at);
    if (end > bytes.length || crc32(bytes.subarray(at + CHECKED_FROM, end)) !== bytes.readUInt32BE(at + 4)) break;
    if (Number(bytes.readBigUInt64BE(at + 8)) !== first + events.length) break;
    events.push({
      offset: Number(bytes.readBigUInt64BE(at + 16)),
      time: Number(bytes.readBigUInt64BE(at + 24)),
      data: bytes.subarray(at + HEAD, end),
    });
    at = end;
  }
  return { events, end: at };
}

/** The segments of a folder, oldest first, as {first, file}. */
export function list(folder) {
  return fs.readdirSync(folder)
    .filter((name) => /^\d{20}\.log$/.test(name))
    .sort()
    .map((name) => ({ first: Number(name.slice(0, 20)), file: path.join(folder, name) }));
}

/** A file of records being written or only kept; without a file its events live in memory alone. */
export class Segment {
  constructor(first, file = null) {
    Object.assign(this, { first, file, bytes: 0, fd: null });
  }

  /** Throws a system error when the file cannot be made. */
  static create(folder, first) {
    const segment = new Segment(first, folder && path.join(folder, `${String(first).padStart(20, '0')}.log`));
    if (segment.file) segment.fd = fs.openSync(segment.file, 'w');
    return segment;
  }

  /** The events in the file; a torn tail is cut off. */
  load() {
    const { events, end } = decode(fs.readFileSync(this.file), this.first);
    this.fd = fs.openSync(this.file, 'r+');
    fs.ftruncateSync(this.fd, end);
    this.bytes = end;
    return events;
  }

  /** Throws a system error, a full disk's for one, and then the file is as it was. */
  append(records) {
    if (this.fd !== null) this.#write(records);
    this.bytes += records.length;
  }

  #write(records) {
    try {
      for (let done = 0; done < records.length;) {
        done += fs.writeSync(this.fd, records, done, records.length - done, this.bytes + done);
      }
    } catch (error) {
      fs.ftruncateSync(this.fd, this.bytes); // no half record
      throw error;
    }
  }

  /** Nothing more is written here. Safe on disk after this. */
  close() {
    if (this.fd === null) return;
    fs.fsyncSync(this.fd);
    fs.closeSync(this.fd);
    this.fd = null;
  }

  remove() {
    if (this.fd !== null) fs.closeSync(this.fd);
    if (this.file) fs.rmSync(this.file, { force: true });
    this.fd = null;
  }
}

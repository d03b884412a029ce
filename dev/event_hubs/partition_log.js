// A partition's events: numbered without holes, kept in memory and, with a folder, in segment files. The oldest
// segments go once what remains is still the retention, so memory, disk and the time to start are bounded.

import fs from 'node:fs';
import { stamp } from './events.js';
import { Segment, encode, list } from './segment.js';

export const MIB = 1 << 20;

/** The log could not take the events; none of them is in it. `cause` is the system error. */
export class LogUnwritable extends Error {}

/** A position that cannot be understood. */
export class BadPosition extends Error {}

export class PartitionLog {
  #segments = [];
  #offset = 0;

  /** `folder` null: memory only. Sizes are bytes. */
  constructor({ folder = null, segmentBytes = 16 * MIB, retentionBytes = 256 * MIB, now = Date.now } = {}) {
    Object.assign(this, { folder, segmentBytes, retentionBytes, now, first: 0, events: [] });
    if (folder) this.#load();
    if (!this.#segments.length) this.#segments.push(Segment.create(folder, 0));
    this.#retain();
  }

  get next() { return this.first + this.events.length; }

  get #active() { return this.#segments.at(-1); }

  #load() {
    fs.mkdirSync(this.folder, { recursive: true });
    for (const { first, file } of list(this.folder)) {
      if (this.#segments.length && first !== this.next) this.#forgetBefore(file);
      if (!this.#segments.length) this.first = first;
      else this.#active.close();
      this.#segments.push(new Segment(first, file));
      this.#keep(this.#active.load());
    }
  }

  // Only a crash of the whole machine does this. Numbers never go back: readers' checkpoints stay true.
  #forgetBefore(file) {
    console.error(`event hubs stand-in: a hole in the log before ${file}; what is older is dropped`);
    for (const segment of this.#segments.splice(0)) segment.remove();
    this.events = [];
  }

  #keep(events) {
    for (const event of events) this.events.push(event);
    const last = events.at(-1);
    if (last) this.#offset = last.offset + last.data.length;
  }

  /** Stores all of `parsed` (see events.js) or, throwing LogUnwritable, none. */
  append(parsed) {
    const events = this.#stamped(parsed);
    try {
      if (this.#active.bytes >= this.segmentBytes) this.#roll();
      this.#active.append(encode(events, this.next));
    } catch (error) {
      throw new LogUnwritable(`the log cannot be written: ${error.message}`, { cause: error });
    }
    this.#keep(events);
    this.#retain();
  }

  #stamped(parsed) {
    const time = this.now();
    let offset = this.#offset;
    return parsed.map((event, i) => {
      const stamped = { time, offset, data: stamp(event, this.next + i, offset, time) };
      offset += stamped.data.length;
      return stamped;
    });
  }

  #roll() {
    const fresh = Segment.create(this.folder, this.next);
    this.#active.close();
    this.#segments.push(fresh);
  }

  #retain() {
    while (this.bytes - this.#segments[0].bytes >= this.retentionBytes) {
      this.#segments.shift().remove();
      this.events.splice(0, this.#segments[0].first - this.first);
      this.first = this.#segments[0].first;
    }
  }

  get bytes() { return this.#segments.reduce((sum, segment) => sum + segment.bytes, 0); }

  get segmentCount() { return this.#segments.length; }

  /** The stored event; `sequence` lies between `first` and `next`. */
  at(sequence) { return this.events[sequence - this.first]; }

  /** The sequence number of the first event whose `field` is after `value` (or at it). Throws BadPosition. */
  find(field, inclusive, value) {
    if (field === 'offset' && value === '@latest') return this.next;
    const wanted = Number(value);
    if (value === '' || Number.isNaN(wanted)) throw new BadPosition(`'${value}' is not a position`);
    const read = field === 'sequence' ? (i) => this.first + i : (i) => this.events[i][field];
    let low = 0, high = this.events.length;
    while (low < high) {
      const middle = (low + high) >> 1, found = read(middle);
      if (inclusive ? found >= wanted : found > wanted) high = middle; else low = middle + 1;
    }
    return this.first + low;
  }

  /** First and last sequence number, the last event's offset (text, '-1' for none) and time (ms since 1970). */
  summary() {
    const last = this.events.at(-1);
    const { offset, time } = last ?? { offset: -1, time: 0 };
    return { begin: this.first, last: this.next - 1, offset: String(offset), time, empty: !last };
  }

  close() { this.#active.close(); }
}

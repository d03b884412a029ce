// An event on its way through: taken out of what the sender transferred, stamped by the partition, read by a receiver.

import {
  DATA, DecodeError, DELIVERY_ANNOTATIONS, HEADER, MESSAGE_ANNOTATIONS,
  binary, long, mapEntries, mapSection, sections, shortString, symbol, text, timestamp,
} from './amqp_bytes.js';

/** The message format of a batch: every data section is an event, encoded as a message of its own. */
const BATCH_FORMAT = 0x80013700;

const SEQUENCE = 'x-opt-sequence-number';
const OFFSET = 'x-opt-offset';
const TIME = 'x-opt-enqueued-time';
const PARTITION_KEY = 'x-opt-partition-key';
const STAMPS = new Set([SEQUENCE, OFFSET, TIME]); // the service's to set: a sender's own are dropped
const SEQUENCE_KEY = symbol(SEQUENCE);
const OFFSET_KEY = symbol(OFFSET);
const TIME_KEY = symbol(TIME);

/** What a sender transferred: {key, events}. Throws DecodeError. */
export function unpack(raw, format) {
  try {
    return unpackSound(raw, format);
  } catch (error) {
    if (error instanceof RangeError) throw new DecodeError(error.message); // read past the end, or nested too deep
    throw error;
  }
}

function unpackSound(raw, format) {
  const envelope = parseEvent(raw);
  if (format !== BATCH_FORMAT) return { key: envelope.key, events: [envelope] };
  const events = [];
  for (const section of sections(raw)) {
    if (section.code === DATA) events.push(parseEvent(binary(raw, section.value)));
  }
  return { key: envelope.key, events };
}

/** What stamping needs of a message: its header, the sender's annotations, all that comes after them. */
function parseEvent(raw) {
  const event = { header: raw.subarray(0, 0), annotations: [], key: null, rest: raw };
  for (const section of sections(raw)) {
    if (section.code > MESSAGE_ANNOTATIONS) continue; // still walked, so that a damaged message is refused
    event.rest = raw.subarray(section.end);
    if (section.code === HEADER) event.header = raw.subarray(section.start, section.end);
    if (section.code === MESSAGE_ANNOTATIONS) takeAnnotations(event, raw, section.value);
  }
  return event;
}

function takeAnnotations(event, raw, at) {
  for (const entry of mapEntries(raw, at)) {
    if (STAMPS.has(entry.key)) continue;
    if (entry.key === PARTITION_KEY) event.key = text(raw, entry.value) || null;
    event.annotations.push(entry.bytes);
  }
}

/** The message as readers get it. `time` is milliseconds since 1970, `offset` bytes since the partition's beginning. */
export function stamp(event, sequence, offset, time) {
  const stamps = [SEQUENCE_KEY, long(sequence), OFFSET_KEY, shortString(String(offset)), TIME_KEY, timestamp(time)];
  const annotations = mapSection(MESSAGE_ANNOTATIONS, [...event.annotations, ...stamps], event.annotations.length + 3);
  return Buffer.concat([event.header, annotations, event.rest]);
}

/** The message with the partition's last event told beside it, for readers that track it. */
export function withLastEnqueued(message, last, now) {
  const first = sections(message).next().value;
  const cut = first.code === HEADER ? first.end : 0; // delivery annotations come right after the header
  const told = mapSection(DELIVERY_ANNOTATIONS, [
    symbol('last_enqueued_sequence_number'), long(last.last),
    symbol('last_enqueued_offset'), shortString(last.offset),
    symbol('last_enqueued_time_utc'), timestamp(last.time),
    symbol('runtime_info_retrieval_time_utc'), timestamp(now),
  ], 4);
  return Buffer.concat([message.subarray(0, cut), told, message.subarray(cut)]);
}

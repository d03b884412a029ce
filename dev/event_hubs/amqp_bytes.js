// AMQP 1.0 values as bytes: walking over them without decoding, and encoding the few kinds that are written.
// Events pass through undecoded, so whatever types a sender chose reach the reader exactly. Numbers in here are the
// constructor codes of the specification's part 1 (types).

export const DELIVERY_ANNOTATIONS = 0x71;
export const MESSAGE_ANNOTATIONS = 0x72;
export const HEADER = 0x70;
export const DATA = 0x75;

export class DecodeError extends Error {}

/** The position after the value that starts at `at`. */
export function valueEnd(bytes, at) {
  if (at >= bytes.length) throw new DecodeError(`a value is missing at byte ${at}`);
  const code = bytes[at];
  if (code === 0x00) return valueEnd(bytes, valueEnd(bytes, at + 1)); // described: descriptor, then value
  const end = at + 1 + payloadSize(bytes, at, code);
  if (end > bytes.length) throw new DecodeError(`the value at byte ${at} is cut short`);
  return end;
}

function payloadSize(bytes, at, code) {
  switch (code >> 4) {
    case 0x4: return 0;
    case 0x5: return 1;
    case 0x6: return 2;
    case 0x7: return 4;
    case 0x8: return 8;
    case 0x9: return 16;
    case 0xa: case 0xc: case 0xe: return 1 + readSize(bytes, at, 1);
    case 0xb: case 0xd: case 0xf: return 4 + readSize(bytes, at, 4);
    default: throw new DecodeError(`byte ${at}: there is no AMQP type 0x${code.toString(16)}`);
  }
}

function readSize(bytes, at, width) {
  if (at + 1 + width > bytes.length) throw new DecodeError(`the size at byte ${at} is cut short`);
  return bytes.readUIntBE(at + 1, width);
}

/** The sections of a message in order: {code, start, value, end}, where `value` is where the section's value starts. */
export function* sections(bytes) {
  for (let start = 0; start < bytes.length;) {
    if (bytes[start] !== 0x00) throw new DecodeError(`byte ${start}: a section starts with a descriptor`);
    const value = valueEnd(bytes, start + 1);
    const end = valueEnd(bytes, value);
    yield { code: descriptor(bytes, start + 1), start, value, end };
    start = end;
  }
}

function descriptor(bytes, at) {
  if (bytes[at] === 0x53) return bytes[at + 1];
  if (bytes[at] === 0x80) return Number(bytes.readBigUInt64BE(at + 1));
  throw new DecodeError(`byte ${at}: a section's descriptor is a number`);
}

/** The entries of the map at `at`: {key, value, bytes}, where `bytes` is the whole entry and `value` a position. */
export function mapEntries(bytes, at) {
  const wide = bytes[at] === 0xd1;
  if (!wide && bytes[at] !== 0xc1) throw new DecodeError(`byte ${at}: a map is expected`);
  const count = bytes.readUIntBE(at + (wide ? 5 : 2), wide ? 4 : 1);
  let start = at + (wide ? 9 : 3);
  const entries = [];
  for (let i = 0; i < count; i += 2) {
    const value = valueEnd(bytes, start);
    const end = valueEnd(bytes, value);
    entries.push({ key: text(bytes, start), value, bytes: bytes.subarray(start, end) });
    start = end;
  }
  return entries;
}

/** The string or symbol at `at`; null for any other type. */
export function text(bytes, at) {
  const code = bytes[at];
  if (code === 0xa1 || code === 0xa3) return bytes.toString('utf8', at + 2, valueEnd(bytes, at));
  if (code === 0xb1 || code === 0xb3) return bytes.toString('utf8', at + 5, valueEnd(bytes, at));
  return null;
}

/** The content of the binary value at `at`. */
export function binary(bytes, at) {
  if (bytes[at] === 0xa0) return bytes.subarray(at + 2, valueEnd(bytes, at));
  if (bytes[at] === 0xb0) return bytes.subarray(at + 5, valueEnd(bytes, at));
  throw new DecodeError(`byte ${at}: binary is expected`);
}

export const symbol = (name) => Buffer.concat([Buffer.from([0xa3, name.length]), Buffer.from(name, 'ascii')]);
export const shortString = (value) => {
  const bytes = Buffer.from(value, 'utf8');
  return Buffer.concat([Buffer.from([0xa1, bytes.length]), bytes]);
};
export const long = (number) => eightBytes(0x81, number);
/** `time` is milliseconds since 1970. */
export const timestamp = (time) => eightBytes(0x83, time);

function eightBytes(code, number) {
  const bytes = Buffer.allocUnsafe(9);
  bytes[0] = code;
  bytes.writeBigInt64BE(BigInt(number), 1);
  return bytes;
}

/** A section that holds a map; `entries` are encoded, each a key and its value in one or two buffers. */
export function mapSection(code, entries, count) {
  const body = Buffer.concat(entries);
  const head = Buffer.from([0x00, 0x53, code, 0xd1, 0, 0, 0, 0, 0, 0, 0, 0]);
  head.writeUInt32BE(body.length + 4, 4); // the size counts the count's own four bytes
  head.writeUInt32BE(count * 2, 8); // keys and values are counted apart
  return Buffer.concat([head, body]);
}

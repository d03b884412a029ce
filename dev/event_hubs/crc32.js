// CRC-32 as in zip files: zlib's own where Node has it (20.15, 22.2), else a table.

import zlib from 'node:zlib';

const TABLE = Int32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = (value >>> 1) ^ (value & 1 ? 0xedb88320 : 0);
  return value;
});

/** An unsigned 32-bit number; `before` is that of the bytes that come before these. */
export function crc32ByTable(bytes, before = 0) {
  let value = ~before;
  for (const byte of bytes) value = TABLE[(value ^ byte) & 0xff] ^ (value >>> 8);
  return ~value >>> 0;
}

export const crc32 = zlib.crc32 ?? crc32ByTable;

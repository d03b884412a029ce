// The hash that gives a partition key its partition: Jenkins lookup3, as the service and the SDKs use it.

const rotate = (x, n) => (x << n) | (x >>> (32 - n));

/** A signed 16-bit number. */
export function keyHash(key) {
  const bytes = Buffer.from(key, 'utf8');
  let a = (0xdeadbeef + bytes.length) | 0, b = a, c = a;
  let at = 0;
  for (; bytes.length - at > 12; at += 12) { // the last 1 to 12 bytes are mixed differently
    a = (a + bytes.readInt32LE(at)) | 0;
    b = (b + bytes.readInt32LE(at + 4)) | 0;
    c = (c + bytes.readInt32LE(at + 8)) | 0;
    [a, b, c] = mix(a, b, c);
  }
  if (at === bytes.length) return fold(b, c);
  const tail = Buffer.alloc(12);
  bytes.copy(tail, 0, at);
  a = (a + tail.readInt32LE(0)) | 0; b = (b + tail.readInt32LE(4)) | 0; c = (c + tail.readInt32LE(8)) | 0;
  return fold(...finish(a, b, c));
}

function mix(a, b, c) {
  a = ((a - c) ^ rotate(c, 4)) | 0; c = (c + b) | 0;
  b = ((b - a) ^ rotate(a, 6)) | 0; a = (a + c) | 0;
  c = ((c - b) ^ rotate(b, 8)) | 0; b = (b + a) | 0;
  a = ((a - c) ^ rotate(c, 16)) | 0; c = (c + b) | 0;
  b = ((b - a) ^ rotate(a, 19)) | 0; a = (a + c) | 0;
  c = ((c - b) ^ rotate(b, 4)) | 0; b = (b + a) | 0;
  return [a, b, c];
}

function finish(a, b, c) {
  c = ((c ^ b) - rotate(b, 14)) | 0; a = ((a ^ c) - rotate(c, 11)) | 0; b = ((b ^ a) - rotate(a, 25)) | 0;
  c = ((c ^ b) - rotate(b, 16)) | 0; a = ((a ^ c) - rotate(c, 4)) | 0; b = ((b ^ a) - rotate(a, 14)) | 0;
  c = ((c ^ b) - rotate(b, 24)) | 0;
  return [b, c];
}

const fold = (b, c) => ((c ^ b) << 16) >> 16;

// CRC-32 of bytes (ISO 3309, as in zip and png): finds damage in a file, not malice.

const POLYNOMIAL = 0xedb88320;
const TABLES = 8;

/** For slicing by eight: entry 256 k + b is the remainder of byte b followed by k zero bytes. */
const REMAINDERS: Int32Array = remainders();

function remainders(): Int32Array {
  const all = new Int32Array(256 * TABLES);
  for (let byte = 0; byte < 256; byte++) {
    let rest = byte;
    for (let bit = 0; bit < 8; bit++) rest = (rest >>> 1) ^ (rest & 1 ? POLYNOMIAL : 0);
    all[byte] = rest;
  }
  for (let i = 256; i < all.length; i++) {
    const before = all[i - 256] as number;
    all[i] = (before >>> 8) ^ (all[before & 0xff] as number);
  }
  return all;
}

/** An unsigned 32-bit integer. Little-endian machines only, as the rest of a program's file. */
export function crc32(given: Uint8Array): number {
  const bytes = given.byteOffset % 4 === 0 ? given : given.slice();
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, 2 * Math.floor(bytes.length / TABLES));
  const r = REMAINDERS;
  let crc = -1;
  for (let i = 0; i < words.length; i += 2) {
    const low = crc ^ (words[i] as number);
    const high = words[i + 1] as number;
    crc =
      (r[0x700 + (low & 0xff)] as number) ^
      (r[0x600 + ((low >>> 8) & 0xff)] as number) ^
      (r[0x500 + ((low >>> 16) & 0xff)] as number) ^
      (r[0x400 + (low >>> 24)] as number) ^
      (r[0x300 + (high & 0xff)] as number) ^
      (r[0x200 + ((high >>> 8) & 0xff)] as number) ^
      (r[0x100 + ((high >>> 16) & 0xff)] as number) ^
      (r[high >>> 24] as number);
  }
  for (let i = 4 * words.length; i < bytes.length; i++) {
    crc = (crc >>> 8) ^ (r[(crc ^ (bytes[i] as number)) & 0xff] as number);
  }
  return (crc ^ -1) >>> 0;
}

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

/** An unsigned 32-bit integer. */
export function crc32(bytes: Uint8Array): number {
  const r = REMAINDERS;
  let crc = -1;
  let i = 0;
  for (; i + TABLES <= bytes.length; i += TABLES) {
    const low =
      crc ^
      ((bytes[i] as number) |
        ((bytes[i + 1] as number) << 8) |
        ((bytes[i + 2] as number) << 16) |
        ((bytes[i + 3] as number) << 24));
    crc =
      (r[0x700 + (low & 0xff)] as number) ^
      (r[0x600 + ((low >>> 8) & 0xff)] as number) ^
      (r[0x500 + ((low >>> 16) & 0xff)] as number) ^
      (r[0x400 + (low >>> 24)] as number) ^
      (r[0x300 + (bytes[i + 4] as number)] as number) ^
      (r[0x200 + (bytes[i + 5] as number)] as number) ^
      (r[0x100 + (bytes[i + 6] as number)] as number) ^
      (r[bytes[i + 7] as number] as number);
  }
  for (; i < bytes.length; i++) crc = (crc >>> 8) ^ (r[(crc ^ (bytes[i] as number)) & 0xff] as number);
  return (crc ^ -1) >>> 0;
}

// NumPy's file of an array of binary32, as datasets read it.

const START = 10;
const ALIGNMENT = 64;

/** Magic, version 1.0, length of the header, the header padded to a multiple of 64, the numbers. */
export function npy(shape, values) {
  const header = `{'descr': '<f4', 'fortran_order': False, 'shape': (${shape.join(", ")},), }`;
  const length = Math.ceil((START + header.length + 1) / ALIGNMENT) * ALIGNMENT - START;
  const start = [0x93, ...Buffer.from("NUMPY"), 1, 0, length % 256, Math.floor(length / 256)];
  const numbers = Buffer.from(values.buffer, values.byteOffset, values.byteLength);
  return Buffer.concat([Buffer.from(start), Buffer.from(`${header.padEnd(length - 1)}\n`), numbers]);
}

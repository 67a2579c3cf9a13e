// The most that 128-bit dot products can do: nothing but relaxed dots of registers, enough of them at once to hide how long one takes. A module
// written by hand. What an engine makes of the instruction decides, so it is measured where the product is.

/** Sums at work at once; with two operands they fit an engine's 15 vector registers. */
const SUMS = 12;
const ROUNDS = 4;
/** Products of two integers in one instruction. */
const PRODUCTS = 16;
const [I32, V128] = [0x7f, 0x7b];
const [X, Y, FIRST_SUM] = [1, 2, 3];
const ADD = [0xfd, 0xae, 0x01];

/**
 * A function that multiplies and adds as often as a product of [m, k] by [k, n] does, rounded up to whole rounds; it returns what became of the sums.
 * @throws WebAssembly.CompileError where there is no relaxed SIMD
 */
export function dotLimit(m, k, n) {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(dotModule()));
  const rounds = Math.ceil((m * k * n) / (PRODUCTS * SUMS * ROUNDS));
  return () => exports.dots(rounds);
}

/** What dots(rounds) returns: sums of the products 1 x 1, modulo 2^32. */
export function dotAnswer(m, k, n) {
  const rounds = Math.ceil((m * k * n) / (PRODUCTS * SUMS * ROUNDS));
  return (rounds * ROUNDS * SUMS * (PRODUCTS / 4)) | 0;
}

/** dots(rounds i32) -> i32: x = y = splat 1; loop { sums += dot(x, y) }; lane 0 of the sum of all sums. */
function dotModule() {
  const sums = Array.from({ length: SUMS }, (_, i) => FIRST_SUM + i);
  const splat = (local) => [0x41, 0x01, 0xfd, 0x0f, 0x21, local];
  // i32x4.relaxed_dot_i8x16_i7x16_add_s
  const dots = sums.flatMap((sum) => [0x20, X, 0x20, Y, 0x20, sum, 0xfd, 0x93, 0x02, 0x21, sum]);
  const countDown = [0x20, 0x00, 0x41, 0x01, 0x6b, 0x22, 0x00];
  const total = [0x20, FIRST_SUM, ...sums.slice(1).flatMap((sum) => [0x20, sum, ...ADD])];
  const code = [
    ...[0x01, 2 + SUMS, V128],
    ...[...splat(X), ...splat(Y)],
    ...[0x03, 0x40, ...Array.from({ length: ROUNDS }, () => dots).flat(), ...countDown, 0x0d, 0x00, 0x0b],
    ...[...total, 0xfd, 0x1b, 0x00, 0x0b],
  ];
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...section(1, [[0x60, 0x01, I32, 0x01, I32]]),
    ...section(3, [[0x00]]),
    ...section(7, [[0x04, ...[..."dots"].map((character) => character.charCodeAt(0)), 0x00, 0x00]]),
    ...section(10, [[...unsigned(code.length), ...code]]),
  ]);
}

function section(id, items) {
  const content = [...unsigned(items.length), ...items.flat()];
  return [id, ...unsigned(content.length), ...content];
}

/** LEB128. */
function unsigned(value) {
  return value < 128 ? [value] : [0x80 | (value & 0x7f), ...unsigned(value >>> 7)];
}

// The floor: what moves bytes and computes nothing. memory.copy, and a loop of 16-byte loads and stores, as a module written by hand; both
// over the memory that they are given, so that they read and write where a kernel does.

/** Bytes of one round of the loop; lengths are multiples of it. */
const ROUND = 128;
const VECTOR = 16;

/**
 * copy(to, from, bytes) by memory.copy, and loop(to, from, bytes) for multiples of 128 bytes.
 * @param memory a WebAssembly.Memory, its pages shared or not
 */
export function copiesOver(memory) {
  const module = new WebAssembly.Module(copyModule(memory.buffer.constructor.name === "SharedArrayBuffer"));
  return new WebAssembly.Instance(module, { bench: { memory } }).exports;
}

function copyModule(isShared) {
  const limits = isShared ? [0x03, 0x01, ...unsigned(65536)] : [0x00, 0x01];
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...section(1, [[0x60, 0x03, 0x7f, 0x7f, 0x7f, 0x00]]), // (func (param i32 i32 i32))
    ...section(2, [[...text("bench"), ...text("memory"), 0x02, ...limits]]),
    ...section(3, [[0x00], [0x00]]),
    ...section(7, [
      [...text("copy"), 0x00, 0x00],
      [...text("loop"), 0x00, 0x01],
    ]),
    ...section(10, [body(copy()), body(loop())]),
  ]);
}

/** (memory.copy (local.get 0) (local.get 1) (local.get 2)) */
function copy() {
  return [...get(0), ...get(1), ...get(2), 0xfc, 0x0a, 0x00, 0x00];
}

/** Eight times (v128.store (local.get 0) (v128.load (local.get 1))), then the addresses ahead, until no byte is left. */
function loop() {
  const moves = Array.from({ length: ROUND / VECTOR }, (_, i) => [
    ...[...get(0), ...get(1), 0xfd, 0x00, 0x04, i * VECTOR],
    ...[0xfd, 0x0b, 0x04, i * VECTOR],
  ]);
  const step = (local) => [...get(local), ...constant(ROUND), 0x6a, 0x21, local];
  const isLeft = [...get(2), ...constant(ROUND), 0x6b, 0x22, 0x02];
  return [0x03, 0x40, ...moves.flat(), ...step(0), ...step(1), ...isLeft, 0x0d, 0x00, 0x0b];
}

function get(local) {
  return [0x20, local];
}

/** i32.const of a number of up to 13 bits, signed LEB128. */
function constant(value) {
  return [0x41, 0x80 | (value & 0x7f), value >> 7];
}

function body(instructions) {
  const code = [0x00, ...instructions, 0x0b];
  return [...unsigned(code.length), ...code];
}

function section(id, items) {
  const content = [...unsigned(items.length), ...items.flat()];
  return [id, ...unsigned(content.length), ...content];
}

function text(name) {
  return [name.length, ...[...name].map((character) => character.charCodeAt(0))];
}

/** LEB128. */
function unsigned(value) {
  return value < 128 ? [value] : [0x80 | (value & 0x7f), ...unsigned(value >>> 7)];
}

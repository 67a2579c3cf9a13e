// Which instructions a module's functions have, read from its bytes: enough of the binary format for what the assembler writes.

import * as tables from "../../../packages/lutra/src/target/wasm/assembler-instructions.ts";

const CODE_SECTION = 10;
const HEADER_BYTES = 8;
const SATURATING_PREFIX = 0xfc;
const SIMD_PREFIX = 0xfd;

/** Names by prefix and opcode; of constants, which the tables leave out, those of floats. */
const NAMES = new Map<string, string>([
  ["0 67", "f32.const"],
  ["0 68", "f64.const"],
]);
for (const [prefix, names] of [
  [0, { ...tables.CORE, ...tables.MEMORY }],
  [SATURATING_PREFIX, tables.SATURATING],
  [
    SIMD_PREFIX,
    {
      ...tables.SIMD,
      ...tables.RELAXED,
      ...tables.EXTRACT,
      ...tables.REPLACE,
      ...tables.SIMD_MEMORY,
      ...tables.LANE_MEMORY,
    },
  ],
] as const) {
  for (const [name, [opcode]] of Object.entries(names)) NAMES.set(`${prefix} ${opcode}`, name);
}

/** The instructions on binary32 and binary64 in a module, each once. */
export function floatInstructions(bytes: Uint8Array): readonly string[] {
  return instructions(bytes).filter((name) => /f32|f64/.test(name));
}

/** Every instruction of a module's functions that has a name here, once. */
function instructions(bytes: Uint8Array): readonly string[] {
  const found = new Set<string>();
  let at = HEADER_BYTES;
  const byte = (): number => bytes[at++] as number;
  const unsigned = (): number => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const next = byte();
      value += (next & 0x7f) * 2 ** shift;
      if (next < 0x80) return value;
    }
  };
  const instruction = (): void => {
    const opcode = byte();
    const isPrefixed = opcode === SATURATING_PREFIX || opcode === SIMD_PREFIX;
    const number = isPrefixed ? unsigned() : opcode;
    found.add(NAMES.get(`${isPrefixed ? opcode : 0} ${number}`) ?? "");
    const vector = opcode === SIMD_PREFIX ? vectorImmediates(number, unsigned) : 0;
    const rest = isPrefixed ? vector : coreImmediates(opcode, unsigned);
    at += rest;
  };
  while (at < bytes.length) {
    const section = byte();
    const end = unsigned() + at;
    for (let left = section === CODE_SECTION ? unsigned() : 0; left > 0; left--) {
      const last = unsigned() + at;
      for (let groups = unsigned(); groups > 0; groups--) {
        unsigned();
        byte();
      }
      while (at < last) instruction();
    }
    at = end;
  }
  return [...found];
}

/** How many bytes follow a vector instruction, besides the numbers read here. */
function vectorImmediates(opcode: number, number: () => number): number {
  const isMemory = opcode <= 0x0b || (opcode >= 0x54 && opcode <= 0x5d);
  if (isMemory) {
    number();
    number();
  }
  if (opcode === 0x0c || opcode === 0x0d) return 16;
  const hasLane = (opcode >= 0x15 && opcode <= 0x22) || (opcode >= 0x54 && opcode <= 0x5b);
  return hasLane ? 1 : 0;
}

function coreImmediates(opcode: number, number: () => number): number {
  // Blocks have a type, branches, calls and variables a number, memory an alignment and an offset, memory.size and constants what they are.
  if (opcode >= 0x02 && opcode <= 0x04) return 1;
  if ([0x0c, 0x0d, 0x10, 0x20, 0x21, 0x22, 0x23, 0x24, 0x3f, 0x40, 0x41, 0x42].includes(opcode)) number();
  if (opcode >= 0x28 && opcode <= 0x3e) {
    number();
    number();
  }
  return opcode === 0x43 ? 4 : opcode === 0x44 ? 8 : 0;
}

// The assembler: what it accepts is valid WebAssembly with the meaning of the specification; what it does not, it refuses at once.

import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type Code,
  extractLane,
  f32,
  get,
  i32,
  load,
  loadLane,
  type Operation,
  op,
  repeatWhile,
  select,
  set,
  shuffle,
  store,
  tee,
  type ValueType,
  when,
} from "../../../packages/lutra/src/target/wasm/assembler.ts";
import { signed, unsigned } from "../../../packages/lutra/src/target/wasm/assembler-bytes.ts";
import { CORE, SIMD } from "../../../packages/lutra/src/target/wasm/assembler-instructions.ts";
import { assemble, FunctionBuilder } from "../../../packages/lutra/src/target/wasm/assembler-module.ts";
import { describeWith } from "../../shared.ts";

const VALUES = [0, -0, 1, -1, 2.5, -3.75, 0.1, 1e-42, 3.4e38, Infinity, -Infinity, Number.NaN].map(Math.fround);
const INTEGERS = [0, 1, -1, 7, 31, 32, 255, 65535, 0x7fffffff, -0x80000000, 0x4b000000];

interface Exports {
  readonly memory: WebAssembly.Memory;
  readonly f: (...args: readonly number[]) => number;
}

function instantiate(bytes: Uint8Array<ArrayBuffer>): Exports {
  return new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports as unknown as Exports;
}

/** A function of parameters, with 256 bytes of memory whose first ones are `data`. */
function compiled(
  types: readonly ValueType[],
  result: ValueType | null,
  body: (parameters: readonly Code[]) => readonly Code[],
  data: Uint8Array = new Uint8Array(0),
): Exports {
  const builder = new FunctionBuilder(types, result);
  const f = builder.finish(...body(builder.parameters.map(get)));
  const segment = { address: 0, bytes: data };
  return instantiate(assemble({ functions: { f }, globals: {}, data: [segment], memoryBytes: 256 }));
}

const toInteger = (isTrue: boolean): number => (isTrue ? 1 : 0);

/** Meanings by name without the type. */
const FLOATS: Readonly<Record<string, (a: number, b: number) => number>> = {
  floor: (a) => Math.floor(a),
  add: (a, b) => Math.fround(a + b),
  sub: (a, b) => Math.fround(a - b),
  mul: (a, b) => Math.fround(a * b),
  min: Math.min,
  max: Math.max,
  // Not Math.min and Math.max: a NaN and a zero of the other sign leave the first operand.
  pmin: (a, b) => [a, b][toInteger(b < a)] as number,
  pmax: (a, b) => [a, b][toInteger(a < b)] as number,
};
const COMPARISONS: Readonly<Record<string, (a: number, b: number) => boolean>> = {
  eq: (a, b) => a === b,
  ne: (a, b) => a !== b,
  lt: (a, b) => a < b,
  gt: (a, b) => a > b,
  le: (a, b) => a <= b,
  ge: (a, b) => a >= b,
};
const WHOLE: Readonly<Record<string, (a: number, b: number) => number>> = {
  eqz: (a) => toInteger(a === 0),
  eq: (a, b) => toInteger(a === b),
  lt_s: (a, b) => toInteger(a < b),
  lt_u: (a, b) => toInteger(a >>> 0 < b >>> 0),
  gt_s: (a, b) => toInteger(a > b),
  add: (a, b) => (a + b) | 0,
  sub: (a, b) => (a - b) | 0,
  mul: Math.imul,
  and: (a, b) => a & b,
  or: (a, b) => a | b,
  xor: (a, b) => a ^ b,
  shl: (a, b) => a << b,
  shr_s: (a, b) => a >> b,
  shr_u: (a, b) => (a >>> b) | 0,
  min_s: Math.min,
  max_s: Math.max,
};

const bitsOf = (x: number): number => new Int32Array(Float32Array.of(x).buffer)[0] as number;
const floatOf = (n: number): number => new Float32Array(Int32Array.of(n).buffer)[0] as number;

describe("instructions of one value mean what the specification says:", () => {
  test.each(Object.entries(CORE).filter(([name]) => /^f32\.(?!convert|reinterpret)/.test(name)))(
    "%s",
    (name, [, signature]) => {
      const types = Array.from(signature.split(">")[0] as string, () => "f32" as const);
      const { f } = compiled(types, signature.endsWith("f") ? "f32" : "i32", (args) => [
        op(name as Operation, ...args),
      ]);
      const short = name.slice(4);
      for (const a of VALUES) {
        for (const b of VALUES) {
          const expected = FLOATS[short]?.(a, b) ?? toInteger(COMPARISONS[short]?.(a, b) === true);
          expect(f(a, b), `${name}(${a}, ${b})`).toBe(expected);
        }
      }
    },
  );

  test.each(Object.entries(CORE).filter(([name]) => /^i32\.(?!wrap|reinterpret)/.test(name)))(
    "%s",
    (name, [, signature]) => {
      const types = Array.from(signature.split(">")[0] as string, () => "i32" as const);
      const { f } = compiled(types, "i32", (args) => [op(name as Operation, ...args)]);
      for (const a of INTEGERS)
        for (const b of INTEGERS) expect(f(a, b), `${name}(${a}, ${b})`).toBe(WHOLE[name.slice(4)]?.(a, b));
    },
  );

  test("conversions and constants", () => {
    const toBits = compiled(["f32"], "i32", ([x]) => [op("i32.reinterpret_f32", x as Code)]).f;
    const toFloat = compiled(["i32"], "f32", ([n]) => [op("f32.reinterpret_i32", n as Code)]).f;
    const convert = compiled(["i32"], "f32", ([n]) => [op("f32.convert_i32_s", n as Code)]).f;
    for (const n of INTEGERS)
      expect([toBits(floatOf(n)), toFloat(n), convert(n)]).toEqual([n, floatOf(n), Math.fround(n)]);
    for (const n of INTEGERS) expect(compiled([], "i32", () => [i32(n)]).f()).toBe(n);
    for (const x of VALUES) expect(compiled([], "f32", () => [f32(x)]).f()).toBe(x);
  });
});

describe("instructions of four values mean what the specification says:", () => {
  const data = (a: Int32Array, b: Int32Array): Uint8Array =>
    new Uint8Array([...new Uint8Array(a.buffer), ...new Uint8Array(b.buffer)]);
  const fourth = (count: number, from: number): number => from % count;

  /** The result's lanes for vectors a and b at 0 and 16. */
  function lanes(code: (a: Code, b: Code) => Code, a: Int32Array, b: Int32Array): Int32Array {
    const { f, memory } = compiled(
      [],
      null,
      () => [store("v128.store", i32(32), code(load("v128.load", i32(0)), load("v128.load", i32(0), 16)))],
      data(a, b),
    );
    f();
    return new Int32Array(memory.buffer, 32, 4);
  }

  test.each(Object.entries(SIMD))("%s", (name, [, signature]) => {
    const short = name.split(".")[1] as string;
    const isFloat = name.startsWith("f32x4") && !short.startsWith("convert");
    const source = isFloat ? VALUES.map(bitsOf) : INTEGERS;
    for (let round = 0; round < source.length; round++) {
      const a = Int32Array.from({ length: 4 }, (_, i) => source[fourth(source.length, round + i)] as number);
      const b = Int32Array.from({ length: 4 }, (_, i) => source[fourth(source.length, 3 * round + 5 * i)] as number);
      const code = (x: Code, y: Code): Code =>
        signature === "v>v"
          ? op(name as Operation, x)
          : signature === "vi>v"
            ? op(name as Operation, x, i32(5))
            : signature === "vvv>v"
              ? op(name as Operation, x, y, y)
              : op(name as Operation, x, y);
      const expected = Array.from(a, (bits, i) => {
        const other = signature === "vi>v" ? 5 : (b[i] as number);
        if (short === "bitselect") return (bits & other) | (other & ~other);
        if (short.startsWith("convert")) return bitsOf(bits);
        if (isFloat) {
          const compare = COMPARISONS[short];
          if (compare !== undefined) return compare(floatOf(bits), floatOf(other)) ? -1 : 0;
          return bitsOf(FLOATS[short]?.(floatOf(bits), floatOf(other)) as number);
        }
        return WHOLE[short]?.(bits, other);
      });
      const actual = [...lanes(code, a, b)];
      const isNaNBits = (bits: number): boolean => isFloat && Number.isNaN(floatOf(bits)) && bits !== -1;
      expect(actual.map((bits) => (isNaNBits(bits) ? "NaN" : bits))).toEqual(
        expected.map((bits) => (isNaNBits(bits) ? "NaN" : bits)),
      );
    }
  });

  test("lanes are loaded, shuffled and extracted where they should", () => {
    const a = Int32Array.of(1, 2, 3, 4);
    const b = Int32Array.of(5, 6, 7, 8);
    const words = [0, 1, 2, 3, 20, 21, 22, 23, 8, 9, 10, 11, 28, 29, 30, 31];
    expect([...lanes((x, y) => shuffle(words, x, y), a, b)]).toEqual([1, 6, 3, 8]);
    expect([...lanes((x) => loadLane("v128.load64_lane", i32(16), x, 1, 8), a, b)]).toEqual([1, 2, 7, 8]);
    expect([...lanes((x) => loadLane("v128.load32_lane", i32(4), x, 3, 16), a, b)]).toEqual([1, 2, 3, 6]);
    expect([...lanes(() => load("v128.load64_zero", i32(8)), a, b)]).toEqual([3, 4, 0, 0]);
    expect([...lanes(() => load("v128.load32_zero", i32(8)), a, b)]).toEqual([3, 0, 0, 0]);
    const second = compiled(
      [],
      "i32",
      () => [
        op(
          "i32.wrap_i64",
          op("i64.shr_u", extractLane("i64x2.extract_lane", 1, load("v128.load", i32(0))), {
            type: "i64",
            bytes: [0x42, 32],
          }),
        ),
      ],
      data(a, b),
    );
    expect(second.f()).toBe(4);
  });
});

describe("control", () => {
  test("a loop runs while its condition holds, a when only if", () => {
    const builder = new FunctionBuilder(["i32"], "i32");
    const [n] = builder.parameters as [(typeof builder.parameters)[0]];
    const sum = builder.local("i32");
    const f = builder.finish(
      when(get(n), repeatWhile(tee(n, op("i32.sub", get(n), i32(1))), set(sum, op("i32.add", get(sum), get(n))))),
      select(get(sum), i32(-1), get(sum)),
    );
    const exports = instantiate(assemble({ functions: { f }, globals: {}, data: [], memoryBytes: 0 }));
    expect([0, 1, 4, 10].map((count) => exports.f(count))).toEqual([-1, 1, 10, 55]);
  });

  test("what would not be valid is refused while it is built", () => {
    const x: Code = f32(1);
    expect(() => op("i32.add", i32(1), x)).toThrow("i32.add takes (i32, i32), got (i32, f32)");
    expect(() => op("f32.floor", x, x)).toThrow(TypeError);
    expect(() => store("f32.store", i32(0), i32(0))).toThrow(TypeError);
    expect(() => when(x)).toThrow("a condition is an i32");
    expect(() => repeatWhile(i32(0), x)).toThrow("a f32 is left behind");
    expect(() => set({ type: "i32", index: 0 }, x)).toThrow("the local is i32, the value f32");
    expect(() => new FunctionBuilder([], "i32").finish(x)).toThrow("the function gives i32, its body f32");
  });
});

describe("numbers", () => {
  test("in LEB128 decode to themselves, in as few bytes as can be", () => {
    const decode = (bytes: readonly number[]): bigint =>
      bytes.reduce((sum, byte, i) => sum | (BigInt(byte & 0x7f) << BigInt(7 * i)), 0n);
    fc.assert(
      fc.property(fc.nat(0xffffffff), fc.integer(), (natural, integer) => {
        expect(decode(unsigned(natural))).toBe(BigInt(natural));
        const bytes = signed(integer);
        expect(BigInt.asIntN(7 * bytes.length, decode(bytes))).toBe(BigInt(integer));
        expect(bytes.length === 1 || BigInt.asIntN(7 * bytes.length - 7, BigInt(integer)) !== BigInt(integer)).toBe(
          true,
        );
      }),
      { seed: 6 },
    );
  });
});

describeWith({ command: "wasm-validate" }, "wabt", () => {
  test("finds nothing wrong with a module of all vector instructions", () => {
    const builder = new FunctionBuilder(["i32"], null);
    const [address] = builder.parameters.map(get) as [Code];
    const all = (Object.entries(SIMD) as [Operation, readonly [number, string]][]).map(([name, [, signature]]) => {
      const v = load("v128.load", address);
      const [wanted = ""] = signature.split(">");
      return store("v128.store", address, op(name, ...Array.from(wanted, (letter) => (letter === "v" ? v : i32(3)))));
    });
    const f = builder.finish(...all);
    const folder = mkdtempSync(join(tmpdir(), "lutra-wasm-"));
    try {
      writeFileSync(
        join(folder, "all.wasm"),
        assemble({ functions: { f }, globals: { one: 1 }, data: [], memoryBytes: 1 }),
      );
      execFileSync("wasm-validate", [join(folder, "all.wasm")]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

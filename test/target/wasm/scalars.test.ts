// Instructions of one value against their meaning in the specification, on all pairs of corner cases. 64-bit integers are BigInts outside.

import { describe, expect, test } from "vitest";
import {
  type Code,
  f32,
  get,
  i32,
  i64,
  load,
  type Operation,
  op,
  store,
  type ValueType,
} from "../../../packages/lutra/src/target/wasm/assembler.ts";
import { CORE, MEMORY, SATURATING } from "../../../packages/lutra/src/target/wasm/assembler-instructions.ts";
import { assemble, FunctionBuilder } from "../../../packages/lutra/src/target/wasm/assembler-module.ts";

type Value = number | bigint;
/** null where the instruction traps. */
type Meaning<T extends Value> = (a: T, b: T) => Value | null;

const DOUBLES = [
  0,
  -0,
  1,
  -1,
  0.5,
  1.5,
  2.5,
  -0.5,
  -3.75,
  0.1,
  1e-42,
  8388609,
  3.4e38,
  Infinity,
  -Infinity,
  Number.NaN,
];
const FLOATS = DOUBLES.map(Math.fround);
const INTEGERS = [0, 1, -1, 7, 31, 32, 255, 65535, 0x7fffffff, -0x80000000, 0x4b000000];
const LONGS = [...INTEGERS.map(BigInt), 1n << 40n, -(1n << 40n) + 1n, (1n << 63n) - 1n, -(1n << 63n), 0xffffffffn];
const OPERANDS: Readonly<Record<string, readonly Value[]>> = { i: INTEGERS, l: LONGS, f: FLOATS, d: DOUBLES };
const TYPES: Readonly<Record<string, ValueType>> = { i: "i32", l: "i64", f: "f32", d: "f64" };

// meanings ------------------------------------------------------------------------------------------------------------

const toInteger = (isTrue: boolean): number => (isTrue ? 1 : 0);
const floatOf = (n: number): number => new Float32Array(Int32Array.of(n).buffer)[0] as number;
const bitsOf = (x: number): number => new Int32Array(Float32Array.of(x).buffer)[0] as number;
const long = (n: bigint): bigint => BigInt.asIntN(64, n);

function nearest(x: number): number {
  const down = Math.floor(x);
  const near = x - down > 0.5 || (x - down === 0.5 && down % 2 !== 0) ? down + 1 : down;
  return near === 0 && (x < 0 || Object.is(x, -0)) ? -0 : near;
}

function saturated(x: number): bigint {
  if (Number.isNaN(x)) return 0n;
  if (x >= 2 ** 63) return 2n ** 63n - 1n;
  return x < -(2 ** 63) ? -(2n ** 63n) : BigInt(Math.trunc(x));
}

const OF_FLOATS: Readonly<Record<string, Meaning<number>>> = {
  "f32.eq": (a, b) => toInteger(a === b),
  "f32.lt": (a, b) => toInteger(a < b),
  "f32.gt": (a, b) => toInteger(a > b),
  "f32.ge": (a, b) => toInteger(a >= b),
  "f32.floor": (a) => Math.floor(a),
  "f32.nearest": nearest,
  "f32.add": (a, b) => Math.fround(a + b),
  "f32.sub": (a, b) => Math.fround(a - b),
  "f32.mul": (a, b) => Math.fround(a * b),
  "f32.div": (a, b) => Math.fround(a / b),
  "f32.min": Math.min,
  "f32.max": Math.max,
  "f32.demote_f64": (a) => Math.fround(a),
  "f64.div": (a, b) => a / b,
  "f64.promote_f32": (a) => a,
  "i32.reinterpret_f32": bitsOf,
  "i64.trunc_sat_f32_s": saturated,
};

const OF_INTEGERS: Readonly<Record<string, Meaning<number>>> = {
  "i32.eqz": (a) => toInteger(a === 0),
  "i32.lt_s": (a, b) => toInteger(a < b),
  "i32.lt_u": (a, b) => toInteger(a >>> 0 < b >>> 0),
  "i32.gt_s": (a, b) => toInteger(a > b),
  "i32.clz": (a) => Math.clz32(a),
  "i32.add": (a, b) => (a + b) | 0,
  "i32.sub": (a, b) => (a - b) | 0,
  "i32.mul": Math.imul,
  "i32.div_s": (a, b) => (b === 0 || (a === -(2 ** 31) && b === -1) ? null : (a / b) | 0),
  "i32.and": (a, b) => a & b,
  "i32.or": (a, b) => a | b,
  "i32.xor": (a, b) => a ^ b,
  "i32.shl": (a, b) => a << b,
  "i32.shr_s": (a, b) => a >> b,
  "i32.shr_u": (a, b) => (a >>> b) | 0,
  "i64.extend_i32_s": (a) => BigInt(a),
  "i64.extend_i32_u": (a) => BigInt(a >>> 0),
  "f32.convert_i32_s": Math.fround,
  "f64.convert_i32_u": (a) => a >>> 0,
  "f32.reinterpret_i32": floatOf,
};

const OF_LONGS: Readonly<Record<string, Meaning<bigint>>> = {
  "i64.eqz": (a) => toInteger(a === 0n),
  "i64.eq": (a, b) => toInteger(a === b),
  "i64.lt_s": (a, b) => toInteger(a < b),
  "i64.clz": (a) => (a < 0n ? 0n : BigInt(64 - (a === 0n ? 0 : a.toString(2).length))),
  "i64.add": (a, b) => long(a + b),
  "i64.sub": (a, b) => long(a - b),
  "i64.mul": (a, b) => long(a * b),
  "i64.div_s": (a, b) => (b === 0n || (a === -(2n ** 63n) && b === -1n) ? null : a / b),
  "i64.and": (a, b) => a & b,
  "i64.shl": (a, b) => long(a << BigInt.asUintN(6, b)),
  "i64.shr_s": (a, b) => a >> BigInt.asUintN(6, b),
  "i64.shr_u": (a, b) => long(BigInt.asUintN(64, a) >> BigInt.asUintN(6, b)),
  "i32.wrap_i64": (a) => Number(BigInt.asIntN(32, a)),
  // BigInts become numbers rounded to binary64; these few are rounded once in all.
  "f32.convert_i64_s": (a) => Math.fround(Number(a)),
};

// running -------------------------------------------------------------------------------------------------------------

/** A function of these types, on a page of memory. */
function compiled(types: readonly ValueType[], body: (operands: readonly Code[]) => Code): (...args: Value[]) => Value {
  const operands = new FunctionBuilder(types, null).parameters.map(get);
  const code = body(operands);
  const f = new FunctionBuilder(types, code.type).finish(code);
  const bytes = assemble({ functions: { f }, globals: {}, data: [], memoryBytes: 64 });
  return new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports.f as (...args: Value[]) => Value;
}

describe("instructions of one value mean what the specification says:", () => {
  test.each(Object.entries({ ...CORE, ...SATURATING }))("%s", (name, [, signature]) => {
    const [wanted = ""] = signature.split(">");
    const run = compiled(
      Array.from(wanted, (letter) => TYPES[letter] as ValueType),
      (operands) => op(name as Operation, ...operands),
    );
    const meaning = (OF_FLOATS[name] ?? OF_INTEGERS[name] ?? OF_LONGS[name]) as Meaning<Value>;
    for (const a of OPERANDS[wanted.charAt(0)] as readonly Value[]) {
      for (const b of OPERANDS[wanted.charAt(wanted.length - 1)] as readonly Value[]) {
        const expected = meaning(a, b);
        if (expected === null) expect(() => run(a, b), `${name}(${a}, ${b})`).toThrow(WebAssembly.RuntimeError);
        else expect(run(a, b), `${name}(${a}, ${b})`).toBe(expected);
      }
    }
  });

  test("constants", () => {
    for (const n of INTEGERS) expect(compiled([], () => i32(n))()).toBe(n);
    for (const x of FLOATS) expect(compiled([], () => f32(x))()).toBe(x);
    for (const n of [0, -1, 2 ** 40, -(2 ** 53), 2 ** 62]) expect(compiled([], () => i64(n))()).toBe(BigInt(n));
  });
});

describe("what is stored in memory is loaded:", () => {
  const LOADED: Readonly<Record<string, (view: DataView, at: number) => Value>> = {
    "i32.load": (view, at) => view.getInt32(at, true),
    "i64.load": (view, at) => view.getBigInt64(at, true),
    "f32.load": (view, at) => view.getFloat32(at, true),
    "i32.load8_s": (view, at) => view.getInt8(at),
    "i32.load8_u": (view, at) => view.getUint8(at),
    "i32.load16_s": (view, at) => view.getInt16(at, true),
    "i32.load16_u": (view, at) => view.getUint16(at, true),
    "i64.load32_u": (view, at) => BigInt(view.getUint32(at, true)),
  };
  const STORED: Readonly<Record<string, (view: DataView, at: number, value: Value) => void>> = {
    "i32.store": (view, at, value) => view.setInt32(at, Number(value), true),
    "i64.store": (view, at, value) => view.setBigInt64(at, BigInt(value), true),
    "f32.store": (view, at, value) => view.setFloat32(at, Number(value), true),
    "i32.store8": (view, at, value) => view.setInt8(at, Number(value)),
    "i32.store16": (view, at, value) => view.setInt16(at, Number(value), true),
  };

  test.each(Object.entries(MEMORY))("%s", (name, [, signature]) => {
    const access = name as keyof typeof MEMORY;
    const bytes = Uint8Array.from({ length: 16 }, (_, i) => 250 - 13 * i);
    const isLoad = signature.startsWith(">");
    const value = { i: i32(-123456789), l: i64(-(2 ** 50) - 3), f: f32(-2.75) }[signature.charAt(0)];
    const code = isLoad ? load(access, i32(3), 2) : store(access, i32(3), value as Code, 2);
    const f = new FunctionBuilder([], code.type).finish(code);
    const module = assemble({ functions: { f }, globals: {}, data: [{ address: 0, bytes }], memoryBytes: 64 });
    const exports = new WebAssembly.Instance(new WebAssembly.Module(module)).exports as unknown as {
      readonly memory: WebAssembly.Memory;
      readonly f: () => Value;
    };
    const expected = new DataView(bytes.slice().buffer);
    const y = exports.f();
    if (isLoad) expect(y).toBe(LOADED[name]?.(expected, 5));
    else STORED[name]?.(expected, 5, { i: -123456789, l: BigInt(-(2 ** 50) - 3), f: -2.75 }[signature.charAt(0)] ?? 0);
    expect(new Uint8Array(exports.memory.buffer, 0, 16)).toEqual(new Uint8Array(expected.buffer));
  });
});

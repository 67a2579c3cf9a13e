// Vector instructions against their meaning in the specification, lane by lane, on corner cases and seeded bytes. Those of relaxed SIMD on the
// operands whose answers every engine shares.

import { describe, expect, test } from "vitest";
import { random } from "../../../packages/lutra/src/num/index.ts";
import {
  type Code,
  extractLane,
  f32,
  i8x16,
  i16x8,
  i32,
  i32x4,
  i64,
  load,
  loadLane,
  type Operation,
  op,
  replaceLane,
  shuffle,
  store,
  v128,
} from "../../../packages/lutra/src/target/wasm/assembler.ts";
import { EXTRACT, RELAXED, REPLACE, SIMD } from "../../../packages/lutra/src/target/wasm/assembler-instructions.ts";
import { assemble, FunctionBuilder } from "../../../packages/lutra/src/target/wasm/assembler-module.ts";
import { FORMS, withoutBaselineCompiler } from "./forms.ts";

type Bytes = Uint8Array<ArrayBuffer>;

const ROUNDS = 200;
const SHIFT = 5;
const SPLATTED = 0x12345678;

const CORNERS: Readonly<Record<string, readonly number[]>> = {
  i8x16: [0, 1, -1, 2, 15, 16, 63, 64, 127, -128, -127],
  i16x8: [0, 1, -1, 127, 128, -128, -129, 255, 256, 16384, -16384, 32767, -32768],
  i32x4: [0, 1, -1, 7, 31, 32767, 32768, -32768, -32769, 65535, 65536, 0x7fffffff, -0x80000000, 0x4b000000],
  i64x2: [0, 1, -1, 7, 0x7fffffff, -0x80000000, 0xffffffff, 2 ** 40, -(2 ** 40), 2 ** 53, -(2 ** 53)],
  f32x4: [0, -0, 1, -1, 2.5, -3.75, 0.1, 1e-42, 3.4e38, Infinity, -Infinity, Number.NaN],
  v128: [0, 1, -1, 0x0f0f0f0f, 0x12345678],
};
const ARRAYS = {
  i8: { s: Int8Array, u: Uint8Array },
  i16: { s: Int16Array, u: Uint16Array },
  i32: { s: Int32Array, u: Uint32Array },
} as const;
type Width = keyof typeof ARRAYS;
type Sign = "s" | "u";

// meanings ------------------------------------------------------------------------------------------------------------

const mask = (isTrue: boolean): number => (isTrue ? -1 : 0);

/** Of one lane of floats. */
const FLOATS: Readonly<Record<string, (a: number, b: number) => number>> = {
  floor: (a) => Math.floor(a),
  nearest,
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  min: Math.min,
  max: Math.max,
  // Not Math.min and Math.max: a NaN and a zero of the other sign leave the first operand.
  pmin: (a, b) => [a, b][Number(b < a)] as number,
  pmax: (a, b) => [a, b][Number(a < b)] as number,
};

/** Halves to even; zeros keep the sign of what they come from. */
function nearest(x: number): number {
  const down = Math.floor(x);
  const near = x - down > 0.5 || (x - down === 0.5 && down % 2 !== 0) ? down + 1 : down;
  return near === 0 && (x < 0 || Object.is(x, -0)) ? -0 : near;
}

const COMPARISONS: Readonly<Record<string, (a: number, b: number) => boolean>> = {
  eq: (a, b) => a === b,
  lt: (a, b) => a < b,
  gt: (a, b) => a > b,
  ge: (a, b) => a >= b,
};
/** Of one lane of integers, signed or not by the instruction's name, before it is reduced to the lane's width. */
const INTEGERS: Readonly<Record<string, (a: number, b: number, bits: number) => number>> = {
  eq: (a, b) => mask(a === b),
  lt: (a, b) => mask(a < b),
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: Math.imul,
  min: (a, b) => Math.min(a, b),
  max: (a, b) => Math.max(a, b),
  shl: (a, _b, bits) => a << (SHIFT % bits),
  shr: (a, _b, bits) => Math.floor(a / 2 ** (SHIFT % bits)),
  and: (a, b) => a & b,
  or: (a, b) => a | b,
  xor: (a, b) => a ^ b,
  avgr: (a, b) => (a + b + 1) >> 1,
  q15mulr_sat: (a, b) => Math.min(32767, (a * b + 0x4000) >> 15),
  relaxed_q15mulr: (a, b) => (a * b + 0x4000) >> 15,
};

/** The lanes of 16 bytes. */
function view(bytes: Bytes, width: Width, sign: Sign): number[] {
  return Array.from(new ARRAYS[width][sign](bytes.slice().buffer));
}

function bytesOf(lanes: readonly number[], width: Width): Bytes {
  return new Uint8Array(ARRAYS[width].s.from(lanes).buffer);
}

function floats(bytes: Bytes): number[] {
  return Array.from(new Float32Array(bytes.slice().buffer));
}

function saturated(value: number, width: Width, sign: Sign): number {
  const bits = Number(width.slice(1));
  const [low, high] = sign === "u" ? [0, 2 ** bits - 1] : [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1];
  return Math.min(high, Math.max(low, value));
}

/** The instruction's answer. */
function meaning(name: string, [a, b, c]: readonly [Bytes, Bytes, Bytes]): Bytes {
  const [shape = "", full = ""] = name.split(".");
  const sign: Sign = full.endsWith("_u") ? "u" : "s";
  const short = full.replace(/_[su]$/, "");
  if (short.endsWith("laneselect") || short === "bitselect") return a.map((x, i) => select(x, b[i], c[i]));
  if (shape === "f32x4") return ofFloats(short, sign, a, b);
  if (shape === "i64x2") return ofLongs(short, sign, a, b);
  const width = (shape === "v128" ? "i32" : shape.slice(0, shape.indexOf("x"))) as Width;
  const special = SPECIAL[short.replace(/_(i8x16|i16x8|i32x4|f32x4)/g, "")];
  if (special !== undefined) return special({ width, sign }, a, b, c);
  const isSaturating = short.endsWith("_sat") && !short.startsWith("q15");
  const compute = INTEGERS[isSaturating ? short.slice(0, -4) : short];
  if (compute === undefined) throw new Error(`${name} has no meaning here`);
  const other = view(b, width, sign);
  const lanes = view(a, width, sign).map((x, i) => compute(x, other[i] as number, Number(width.slice(1))));
  return bytesOf(isSaturating ? lanes.map((x) => saturated(x, width, sign)) : lanes, width);
}

const select = (x = 0, y = 0, bits = 0): number => (x & bits) | (y & ~bits);

function ofFloats(short: string, sign: Sign, a: Bytes, b: Bytes): Bytes {
  const compare = COMPARISONS[short];
  const compute = FLOATS[short];
  const [x, y] = [floats(a), floats(b)];
  if (short === "splat") return new Uint8Array(Float32Array.of(...Array(4).fill(SPLATTED)).buffer);
  if (compare !== undefined)
    return bytesOf(
      x.map((value, i) => mask(compare(value, y[i] as number))),
      "i32",
    );
  if (short.startsWith("convert")) return new Uint8Array(Float32Array.from(view(a, "i32", sign)).buffer);
  if (compute === undefined) throw new Error(`${short} has no meaning here`);
  return new Uint8Array(Float32Array.from(x, (value, i) => compute(value, y[i] as number)).buffer);
}

const LONGS: Readonly<Record<string, (a: bigint, b: bigint) => bigint>> = {
  splat: () => BigInt(SPLATTED),
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  lt: (a, b) => (a < b ? -1n : 0n),
  shl: (a) => a << BigInt(SHIFT),
  shr: (a) => a >> BigInt(SHIFT),
};

function ofLongs(short: string, sign: Sign, a: Bytes, b: Bytes): Bytes {
  const narrow = (bytes: Bytes, isHigh: boolean): bigint[] => half(view(bytes, "i32", sign), isHigh).map(BigInt);
  const longs = (bytes: Bytes): bigint[] =>
    Array.from(new (sign === "s" ? BigInt64Array : BigUint64Array)(bytes.slice().buffer));
  const isHigh = short.includes("high");
  const isNarrow = /^ext/.test(short);
  const compute = short.startsWith("extmul") ? LONGS.mul : short.startsWith("extend") ? (x: bigint) => x : LONGS[short];
  if (compute === undefined) throw new Error(`${short} has no meaning here`);
  const [x, y] = isNarrow ? [narrow(a, isHigh), narrow(b, isHigh)] : [longs(a), longs(b)];
  return new Uint8Array(BigInt64Array.from(x, (value, i) => compute(value, y[i] as bigint)).buffer);
}

type Special = (lane: { width: Width; sign: Sign }, a: Bytes, b: Bytes, c: Bytes) => Bytes;

const NARROWER = { i32: "i16", i16: "i8", i8: "i8" } as const;
const WIDER = { i8: "i16", i16: "i32", i32: "i32" } as const;

const half = (lanes: readonly number[], isHigh: boolean): number[] =>
  lanes.slice(isHigh ? lanes.length / 2 : 0, isHigh ? lanes.length : lanes.length / 2);
const pairs = (lanes: readonly number[]): number[] =>
  Array.from({ length: lanes.length / 2 }, (_, i) => (lanes[2 * i] as number) + (lanes[2 * i + 1] as number));
const products = (x: readonly number[], y: readonly number[]): number[] => x.map((v, i) => v * (y[i] as number));

function extended(isHigh: boolean): Special {
  return ({ width, sign }, a) => bytesOf(half(view(a, NARROWER[width], sign), isHigh), width);
}

function extendedProduct(isHigh: boolean): Special {
  return ({ width, sign }, a, b) =>
    bytesOf(
      products(half(view(a, NARROWER[width], sign), isHigh), half(view(b, NARROWER[width], sign), isHigh)),
      width,
    );
}

/** Instructions that move between lanes. */
const SPECIAL: Readonly<Record<string, Special>> = {
  splat: ({ width }) =>
    width === "i32"
      ? bytesOf(Array(4).fill(SPLATTED), "i32")
      : bytesOf(Array(16 / lanesBytes(width)).fill(SPLATTED), width),
  swizzle: (_lane, a, b) => b.map((i) => a[i] ?? 0),
  relaxed_swizzle: (_lane, a, b) => b.map((i) => a[i] ?? 0),
  narrow: ({ width, sign }, a, b) =>
    bytesOf(
      [...view(a, WIDER[width], "s"), ...view(b, WIDER[width], "s")].map((x) => saturated(x, width, sign)),
      width,
    ),
  extend_low: extended(false),
  extend_high: extended(true),
  extmul_low: extendedProduct(false),
  extmul_high: extendedProduct(true),
  extadd_pairwise: ({ width, sign }, a) => bytesOf(pairs(view(a, NARROWER[width], sign)), width),
  dot: (_lane, a, b) => bytesOf(pairs(products(view(a, "i16", "s"), view(b, "i16", "s"))), "i32"),
  trunc_sat: ({ sign }, a) =>
    bytesOf(
      floats(a).map((x) => saturated(Number.isNaN(x) ? 0 : Math.trunc(x), "i32", sign)),
      "i32",
    ),
  relaxed_dot_i7x16_add: (_lane, a, b, c) => {
    const sums = pairs(pairs(products(view(a, "i8", "s"), view(b, "i8", "s"))));
    const added = view(c, "i32", "s");
    return bytesOf(
      sums.map((sum, i) => sum + (added[i] as number)),
      "i32",
    );
  },
  relaxed_dot_i7x16: (_lane, a, b) => bytesOf(pairs(products(view(a, "i8", "s"), view(b, "i8", "s"))), "i16"),
};

function lanesBytes(width: Width): number {
  return Number(width.slice(1)) / 8;
}

// operands ------------------------------------------------------------------------------------------------------------

const source = random(41);

/** 16 bytes of lanes that the instruction reads: corner cases and seeded ones mixed. */
function operand(name: string): Bytes {
  const shape = /_(i8x16|i16x8|i32x4|f32x4)/.exec(name)?.[1] ?? (name.split(".")[0] as string);
  const corners = CORNERS[shape] as readonly number[];
  const corner = (): number => corners[source.below(corners.length)] as number;
  if (shape === "f32x4") return new Uint8Array(Float32Array.from({ length: 4 }, corner).buffer);
  if (shape === "i64x2") return new Uint8Array(BigInt64Array.from({ length: 2 }, () => BigInt(corner())).buffer);
  const width = (shape === "v128" ? "i32" : shape.slice(0, shape.indexOf("x"))) as Width;
  const drawn = (): number => Math.floor(source.uniform() * 2 ** 32);
  return bytesOf(
    Array.from({ length: 16 / lanesBytes(width) }, () => (source.below(2) === 0 ? corner() : drawn())),
    width,
  );
}

/** Operands on which all engines agree. */
const AGREED: Readonly<Record<string, (a: Bytes, b: Bytes, c: Bytes) => readonly [Bytes, Bytes, Bytes]>> = {
  relaxed_swizzle: (a, b, c) => [a, b.map((i) => (i < 128 ? i % 16 : i)), c],
  relaxed_laneselect: (a, b, c) => [a, b, c.fill(0).fill(255, 4, 12)],
  relaxed_q15mulr_s: (a, b, c) => [
    a,
    bytesOf(
      view(b, "i16", "s").map((x) => Math.max(-32767, x)),
      "i16",
    ),
    c,
  ],
  relaxed_dot_i8x16_i7x16_s: (a, b, c) => [a, b.map((x) => x % 128), c],
  relaxed_dot_i8x16_i7x16_add_s: (a, b, c) => [a, b.map((x) => x % 128), c],
};

// running -------------------------------------------------------------------------------------------------------------

interface Exports {
  readonly memory: WebAssembly.Memory;
  readonly f: () => number;
}

/** A function on 256 bytes of memory, that stores the vector it makes at 64 or returns the number. */
function compiled(code: Code): (data: readonly Bytes[]) => Bytes | number {
  const isVector = code.type === "v128";
  const f = new FunctionBuilder([], isVector ? null : code.type).finish(
    isVector ? store("v128.store", i32(64), code) : code,
  );
  const module = assemble({ functions: { f }, globals: {}, data: [], memoryBytes: 256 });
  const exports = new WebAssembly.Instance(new WebAssembly.Module(module)).exports as unknown as Exports;
  return (data) => {
    data.forEach((bytes, i) => {
      new Uint8Array(exports.memory.buffer).set(bytes, 16 * i);
    });
    const y = exports.f();
    return isVector ? new Uint8Array(exports.memory.buffer.slice(64, 80)) : y;
  };
}

const operands: readonly Code[] = [0, 16, 32].map((offset) => load("v128.load", i32(0), offset));
/** Of splats and shifts. */
const SPLATS: Readonly<Record<string, Code>> = { i: i32(SPLATTED), l: i64(SPLATTED), f: f32(SPLATTED) };

function expectMeaning(name: string, signature: string): void {
  const [wanted = ""] = signature.split(">");
  const numbers = name.endsWith("splat") ? SPLATS : { i: i32(SHIFT) };
  const given = Array.from(wanted, (letter, i) => (letter === "v" ? operands[i] : numbers[letter]) as Code);
  const run = compiled(op(name as Operation, ...given)) as (data: readonly Bytes[]) => Bytes;
  const agreed = AGREED[name.split(".")[1] as string];
  const isFloat = name.startsWith("f32x4") && !/\.(eq|lt|gt|ge)$/.test(name);
  for (let round = 0; round < ROUNDS; round++) {
    const drawn = [operand(name), operand(name), operand(name)] as const;
    const data = agreed === undefined ? drawn : agreed(...drawn);
    const actual = run(data);
    const expected = meaning(name, data);
    // Which NaN it is, the specification leaves open.
    if (isFloat) expect(floats(actual), name).toEqual(floats(expected));
    else expect(actual, name).toEqual(expected);
  }
}

withoutBaselineCompiler();

describe("vector instructions mean what the specification says:", () => {
  test.each(Object.entries(SIMD))("%s", (name, [, signature]) => expectMeaning(name, signature));
});

describe.runIf(FORMS.includes("relaxed"))("relaxed ones, where engines agree:", () => {
  test.each(Object.entries(RELAXED))("%s", (name, [, signature]) => expectMeaning(name, signature));
});

/** The bytes of a lane. */
const REPLACING: Readonly<Record<string, readonly [Code, Bytes]>> = {
  i8x16: [i32(-77), new Uint8Array(Int8Array.of(-77).buffer)],
  i16x8: [i32(-777), new Uint8Array(Int16Array.of(-777).buffer)],
  i32x4: [i32(-77777), new Uint8Array(Int32Array.of(-77777).buffer)],
  i64x2: [i64(-77777), new Uint8Array(BigInt64Array.of(-77777n).buffer)],
  f32x4: [f32(-7.75), new Uint8Array(Float32Array.of(-7.75).buffer)],
};

describe("lanes", () => {
  const counting = Uint8Array.from({ length: 16 }, (_, i) => 240 + i);
  const other = Uint8Array.from({ length: 16 }, (_, i) => i);

  test.each(Object.entries(EXTRACT).filter(([name]) => !name.startsWith("i64")))("%s", (name) => {
    const [shape = ""] = name.split(".");
    const lane = 1;
    const actual = compiled(extractLane(name as keyof typeof EXTRACT, lane, operands[0] as Code))([counting]);
    const sign: Sign = name.endsWith("_u") ? "u" : "s";
    const lanes =
      shape === "f32x4" ? floats(counting) : view(counting, shape.slice(0, shape.indexOf("x")) as Width, sign);
    expect(actual).toBe(lanes[lane]);
  });

  test.each(Object.keys(REPLACE))("%s", (name) => {
    const [shape = ""] = name.split(".");
    const [value, written] = REPLACING[shape] as readonly [Code, Bytes];
    const expected = counting.slice();
    expected.set(written, written.length);
    expect(compiled(replaceLane(name as keyof typeof REPLACE, 1, operands[0] as Code, value))([counting])).toEqual(
      expected,
    );
  });

  test("are extracted by 64 bits", () => {
    const high = extractLane("i64x2.extract_lane", 1, operands[0] as Code);
    const code = op("i32.wrap_i64", op("i64.shr_u", high, i64(32)));
    expect(compiled(code)([counting])).toBe(view(counting, "i32", "s")[3]);
  });

  test("are loaded and shuffled where they should", () => {
    const run = (code: Code): number[] => [...(compiled(code)([counting, other]) as Bytes)];
    const [a, b] = operands as [Code, Code];
    const from = (first: number, count: number): number[] => Array.from({ length: count }, (_, i) => first + i);
    expect(run(shuffle([...from(0, 4), ...from(20, 4), ...from(8, 4), ...from(28, 4)], a, b))).toEqual([
      ...[...from(240, 4), ...from(4, 4), ...from(248, 4), ...from(12, 4)],
    ]);
    const replaced = (bytes: number, lane: number): number[] =>
      [...counting].map((byte, i) => (i >= bytes * lane && i < bytes * (lane + 1) ? i - bytes * lane + 3 : byte));
    expect(run(loadLane("v128.load64_lane", i32(16), a, 1, 3))).toEqual(replaced(8, 1));
    expect(run(loadLane("v128.load32_lane", i32(16), a, 3, 3))).toEqual(replaced(4, 3));
    expect(run(loadLane("v128.load16_lane", i32(16), a, 5, 3))).toEqual(replaced(2, 5));
    expect(run(loadLane("v128.load8_lane", i32(16), a, 9, 3))).toEqual(replaced(1, 9));
    expect(run(load("v128.load64_zero", i32(16), 4))).toEqual([...from(4, 8), ...Array(8).fill(0)]);
    expect(run(load("v128.load32_zero", i32(16), 4))).toEqual([...from(4, 4), ...Array(12).fill(0)]);
    const repeated = (bytes: number): number[] => from(0, 16).map((i) => 5 + (i % bytes));
    expect(run(load("v128.load8_splat", i32(16), 5))).toEqual(repeated(1));
    expect(run(load("v128.load16_splat", i32(16), 5))).toEqual(repeated(2));
    expect(run(load("v128.load32_splat", i32(16), 5))).toEqual(repeated(4));
    expect(run(load("v128.load64_splat", i32(16), 5))).toEqual(repeated(8));
  });

  test("of constants are as given", () => {
    const run = (code: Code): Bytes => compiled(code)([]) as Bytes;
    expect(view(run(i8x16(-3)), "i8", "s")).toEqual(Array(16).fill(-3));
    expect(view(run(i16x8(-300)), "i16", "s")).toEqual(Array(8).fill(-300));
    expect(view(run(i32x4(-70000)), "i32", "s")).toEqual(Array(4).fill(-70000));
    expect(view(run(v128([...other], "i8")), "i8", "s")).toEqual([...other]);
    expect(floats(run(v128([1, -0, 0.5, Infinity], "f32")))).toEqual([1, -0, 0.5, Infinity]);
  });
});

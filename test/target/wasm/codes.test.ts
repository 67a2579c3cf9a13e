// Modules of kernels of 8 and 16-bit codes against interpret(), at every code, and what the target refuses.

import { describe, expect, test } from "vitest";
import { fill, interpret, type Kernel, KernelBuilder, laneOf } from "../../../packages/lutra/src/kernel/index.ts";
import { elementwise } from "../../../packages/lutra/src/layer/index.ts";
import {
  allCodes,
  BFLOAT16,
  BINARY32,
  type Format,
  parseFormat,
  random,
} from "../../../packages/lutra/src/num/index.ts";
import type { Table } from "../../../packages/lutra/src/table/index.ts";
import { emit } from "../../../packages/lutra/src/target/wasm/index.ts";
import { FORMS } from "./forms.ts";
import { runModule } from "./module.ts";

const source = random(23);
const everything = { lo: -Infinity, hi: Infinity };
const ARRAYS = { i8: Int8Array, u8: Uint8Array, i16: Int16Array, u16: Uint16Array } as const;

function specOf(
  input: Format,
  output: Format,
): { fn: string; domain: typeof everything; input: Format; output: Format } {
  return { fn: "x", domain: everything, input, output };
}

/** Sixteen seeded lines between seeded breakpoints. */
function tabled(input: Format, output: Format): Kernel {
  const whole = (spread: number): number => Math.floor(spread * source.normal());
  const codes = allCodes(input);
  const step = codes.length / 16;
  const spec = specOf(input, output);
  const table: Table = {
    spec,
    reductions: [],
    clamp: [-Infinity, Infinity],
    index: {
      rule: "breakpoints",
      codes: Array.from({ length: 15 }, (_, i) => codes[Math.floor((i + 1) * step)] as number),
    },
    coefficients: [Array.from({ length: 16 }, () => whole(4000)), Array.from({ length: 16 }, () => whole(60))],
    shift: 6,
    rounding: "half-even",
  };
  return fill(elementwise(spec), { f: table });
}

/** Inputs in seeded order, so that all pairs of neighbours occur. */
function shuffled(codes: Float64Array, count: number): Float64Array {
  return Float64Array.from(
    { length: count },
    (_, i) => codes[i < codes.length ? i : source.below(codes.length)] as number,
  );
}

function expectSame(kernel: Kernel, codes: Float64Array): void {
  const [input, output] = [laneOf(kernel.spec.input), laneOf(kernel.spec.output)] as [
    keyof typeof ARRAYS,
    keyof typeof ARRAYS,
  ];
  const expected = interpret(kernel, { x: codes }, 1, codes.length)[0] as Float64Array;
  for (const form of FORMS) {
    const y = runModule(emit(kernel, { form }), ARRAYS[input].from(codes), new ARRAYS[output](codes.length));
    expect(Float64Array.from(y)).toEqual(expected);
  }
}

describe("a module of codes answers each as interpret() does:", () => {
  test.each([
    ["int8", "int8"],
    ["uint8", "int8"],
    ["int8", "uint8"],
    ["int8", "int16"],
    ["uint8", "uint16"],
    ["int16", "int16"],
    ["uint16", "uint16"],
    ["int16", "int8"],
    ["int5", "int8"],
  ])("%s to %s", (from, to) => {
    const format = parseFormat(from);
    expectSame(tabled(format, parseFormat(to)), shuffled(allCodes(format), 70_001));
  });

  test("whatever the count", () => {
    const int16 = parseFormat("int16");
    const kernel = tabled(int16, int16);
    const codes = allCodes(int16);
    for (let count = 0; count < 70; count++) expectSame(kernel, shuffled(codes.slice(3000, 3000 + count), count));
  });

  test("a kernel of integer arithmetic", () => {
    const int8 = parseFormat("int8");
    const build = new KernelBuilder();
    const x = build.cast(build.codes("x", "element", int8), "i32");
    const square = build.binary("mul", x, x);
    const kernel = build.finish(
      specOf(int8, int8),
      build.cast(build.shiftRight(square, build.integer(7), "half-up"), "i8"),
    );
    expectSame(kernel, shuffled(allCodes(int8), 999));
  });
});

describe("the wasm target refuses", () => {
  test("other floats", () => {
    expect(() => emit(tabled(BFLOAT16, BFLOAT16), { form: "simd" })).toThrow("bfloat16");
  });

  test("a hole that no table fills", () => {
    expect(() => emit(elementwise(specOf(BINARY32, BINARY32)), { form: "simd" })).toThrow('the hole "f" has no table');
  });
});

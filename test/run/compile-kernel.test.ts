// compileKernel: typed arrays in, typed arrays out, in memory of the caller's or the module's; and every way to hand it something wrong.

import { execFileSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { interpret } from "../../packages/lutra/src/kernel/index.ts";
import { BINARY32, parseFormat } from "../../packages/lutra/src/num/index.ts";
import { compileKernel, elementwise, fill, type Kernel, type Table } from "../../packages/lutra/src/run/index.ts";
import { ROOT } from "../shared.ts";

/** max(2 x + 1, -3) or the same on codes. */
function kernelOf(format: string): Kernel {
  const input = format === "binary32" ? BINARY32 : parseFormat(format);
  const spec = { fn: "x", domain: { lo: -Infinity, hi: Infinity }, input, output: input };
  const table: Table = {
    spec,
    reductions: [],
    clamp: [-Infinity, Infinity],
    index: { rule: "breakpoints", codes: [-2] },
    coefficients: [
      [-3, 1],
      [0, 2],
    ],
    shift: 0,
    rounding: "half-even",
  };
  return fill(elementwise(spec), { f: table });
}

const ARRAYS = {
  binary32: Float32Array,
  int8: Int8Array,
  uint8: Uint8Array,
  int16: Int16Array,
  uint16: Uint16Array,
} as const;
const floats = compileKernel(kernelOf("binary32"));

describe("run", () => {
  test.each(Object.keys(ARRAYS) as (keyof typeof ARRAYS)[])("answers arrays of %s of any length", (format) => {
    const kernel = format.startsWith("u") ? unsignedKernel(format) : kernelOf(format);
    const compiled = compileKernel(kernel);
    for (const length of [0, 1, 63, 64, 16384, 40_000]) {
      const x = new ARRAYS[format](Array.from({ length }, (_, i) => (i * 7) % 120));
      expect(Float64Array.from(compiled.run(x))).toEqual(interpret(kernel, { x }, 1, length)[0]);
    }
  });

  test("writes into an array that is given, also the input itself, and leaves the rest of it", () => {
    const output = new Float32Array(4).fill(9);
    expect(floats.run(Float32Array.of(-5, 1, 2), output)).toBe(output);
    expect([...output]).toEqual([-3, 3, 5, 9]);
    const x = Float32Array.of(1, 2);
    expect([...floats.run(x, x)]).toEqual([3, 5]);
  });

  test("takes a part of an array at any offset", () => {
    const x = Float32Array.from({ length: 9 }, (_, i) => i).subarray(1, 4);
    const output = new Float32Array(9).subarray(3, 6);
    expect([...floats.run(x, output)]).toEqual([3, 5, 7]);
  });

  test("works in the module's memory without copies, and on arrays from before the memory grew not at all", () => {
    const kernel = compileKernel(kernelOf("binary32"));
    const first = kernel.buffers(1_000_000);
    first.input.fill(2);
    expect(kernel.run(first.input, first.output)).toBe(first.output);
    expect(first.output.every((y) => y === 5)).toBe(true);
    const second = kernel.buffers(1_000_000);
    expect(second.input.length).toBe(1_000_000);
    expect(() => kernel.run(first.input, second.output)).toThrow("the input's memory is detached");
    expect([...kernel.run(Float32Array.of(1))]).toEqual([3]);
  });

  test.each(["scalar", "simd"] as const)("in the %s form gives the same", (form) => {
    const kernel = compileKernel(kernelOf("binary32"), { form });
    expect(kernel.form).toBe(form);
    expect([...kernel.run(Float32Array.of(-9, -2, 0, 3, 4.5))]).toEqual([-3, -3, 1, 7, 10]);
  });
});

describe("run refuses", () => {
  test.each([
    [
      "an array of another type",
      new Int8Array(3) as never,
      undefined,
      "the input of this kernel is a Float32Array, got Int8Array",
    ],
    ["something that is no array", [1, 2] as never, undefined, "got object"],
    [
      "an output of another type",
      new Float32Array(3),
      new Float64Array(3) as never,
      "the output of this kernel is a Float32Array, got Float64Array",
    ],
    [
      "an output that is too short",
      new Float32Array(3),
      new Float32Array(2),
      "has room for 2 answers, the input has 3",
    ],
  ])("%s", (_what, input, output, message) => {
    expect(() => floats.run(input, output)).toThrow(message);
  });

  test("a detached array", () => {
    const x = new Float32Array(3);
    structuredClone(x, { transfer: [x.buffer] });
    expect(() => floats.run(x)).toThrow("the input's memory is detached");
  });

  test("an output that overlaps the input", () => {
    const x = new Float32Array(8);
    expect(() => floats.run(x.subarray(0, 4), x.subarray(1, 5))).toThrow("input and output overlap");
  });

  test("memory that cannot grow, and goes on working", () => {
    const kernel = compileKernel(kernelOf("binary32"));
    expect(() => kernel.buffers(2 ** 31)).toThrow(/memory cannot grow to \d+ bytes, for 2147483648 values/);
    expect(() => kernel.buffers(-1)).toThrow("a number of values is 0 or more, got -1");
    expect([...kernel.run(Float32Array.of(1))]).toEqual([3]);
  });
});

test("lutra/run loads no npm package and little of the library", () => {
  const program = [
    'import { register } from "node:module";',
    "const hook = `export async function load(url, context, next) { console.log(url); return next(url, context); }`;",
    'register("data:text/javascript," + encodeURIComponent(hook));',
    'await import("lutra/run");',
  ].join("\n");
  const output = execFileSync(process.execPath, ["--input-type=module", "-e", program], {
    cwd: ROOT,
    encoding: "utf8",
  });
  const loaded = output.split("\n").filter((line) => line.startsWith("file:"));
  expect(loaded.length).toBeGreaterThan(10);
  expect(loaded.filter((url) => !url.includes("/packages/lutra/dist/"))).toEqual([]);
  const folders = loaded.map((url) => /dist\/(\w+)\//.exec(url)?.[1]);
  expect([...new Set(folders)].sort()).toEqual(["base", "kernel", "layer", "num", "run", "table", "target"]);
});

function unsignedKernel(format: string): Kernel {
  const input = parseFormat(format);
  const spec = { fn: "x", domain: { lo: -Infinity, hi: Infinity }, input, output: input };
  const table = {
    spec,
    reductions: [],
    clamp: [-Infinity, Infinity],
    index: { rule: "breakpoints", codes: [9] },
  } as const;
  return fill(elementwise(spec), {
    f: {
      ...table,
      coefficients: [
        [4, 3],
        [0, 2],
      ],
      shift: 1,
      rounding: "half-up",
    },
  });
}

// compileKernel: typed arrays in, typed arrays out, in memory of the caller's or the module's; and every way to hand it something wrong.

import { execFileSync } from "node:child_process";
import { runInNewContext } from "node:vm";
import { describe, expect, test } from "vitest";
import { interpret } from "../../packages/lutra/src/kernel/index.ts";
import { compileKernel } from "../../packages/lutra/src/run/index.ts";
import { ROOT } from "../shared.ts";
import { kernelOf } from "./kernels.ts";

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
    const kernel = kernelOf(format);
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

  test("takes arrays by name, and puts a result that is missing into the record", () => {
    const outputs = {};
    expect(floats.run({ x: Float32Array.of(1, 2) }, outputs)).toBe(outputs);
    expect(outputs).toEqual({ y: Float32Array.of(3, 5) });
  });

  test("takes arrays that another realm made", () => {
    const x = runInNewContext("Float32Array.of(-5, 1, 2)");
    expect(x).not.toBeInstanceOf(Float32Array);
    const output = runInNewContext("new Float32Array(3)");
    expect([...floats.run(x, output)]).toEqual([-3, 3, 5]);
    expect([...floats.run(x)]).toEqual([-3, 3, 5]);
  });

  test("gives empty arrays for empty ones, and takes outputs that are longer than their answers", () => {
    expect(floats.run(new Float32Array(0))).toHaveLength(0);
    expect([...floats.run(new Float32Array(0), Float32Array.of(7))]).toEqual([7]);
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
    expect(() => kernel.run(first.input, second.output)).toThrow("the memory of the input is detached");
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
    ["nothing", undefined as never, undefined, 'the input "x" is missing'],
    ["null", null as never, undefined, "got null"],
    ["a name it has not", { z: new Float32Array(3) }, undefined, 'this kernel has nothing named "z", but "x"'],
    ["a record without the input", {}, undefined, 'the input "x" is missing'],
    [
      "a record without an array",
      { x: 3 } as never,
      undefined,
      "the input of this kernel is a Float32Array, got number",
    ],
    [
      "what only claims to be an array",
      { x: { [Symbol.toStringTag]: "Float32Array", length: 2 } } as never,
      undefined,
      "is a Float32Array, got Float32Array",
    ],
    [
      "an output of another type",
      new Float32Array(3),
      new Float64Array(3) as never,
      "the output of this kernel is a Float32Array, got Float64Array",
    ],
    ["an output that is too short", new Float32Array(3), new Float32Array(2), "the output has room for 2 answers of 3"],
  ])("%s", (_what, input, output, message) => {
    expect(() => floats.run(input, output)).toThrow(message);
  });

  test("a detached array", () => {
    const x = new Float32Array(3);
    structuredClone(x, { transfer: [x.buffer] });
    expect(() => floats.run(x)).toThrow("the memory of the input is detached");
  });

  test("an output that overlaps the input", () => {
    const x = new Float32Array(8);
    const inside = floats.buffers(8).input as Float32Array;
    expect(() => floats.run(inside.subarray(0, 4), inside.subarray(1, 5))).toThrow("the input and the output overlap");
    expect(() => floats.run(x.subarray(0, 4), x.subarray(1, 5))).toThrow("the input and the output overlap");
  });

  test("arrays that lie where the kernel keeps its tables or works", () => {
    const { input, output } = floats.buffers(8);
    const tables = new Float32Array(input.buffer, 0, 8);
    const before = Uint8Array.from(new Uint8Array(input.buffer, 0, 4096));
    expect(() => floats.run(input, tables)).toThrow("an array overlaps the kernel's own part of the memory");
    expect(() => floats.run(tables, output)).toThrow("an array overlaps the kernel's own part of the memory");
    expect(new Uint8Array(input.buffer, 0, 4096)).toEqual(before);
  });

  test("a size that is none", () => {
    expect(() => floats.buffers(1.5)).toThrow("a number of values is 0 or more, got 1.5");
    expect(() => floats.buffers({ rows: 3, columns: -1 })).toThrow("got -1");
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
  expect([...new Set(folders)].sort()).toEqual(["base", "kernel", "layer", "num", "program", "run", "table", "target"]);
});

test("a form that there is not is refused", () => {
  for (const form of ["avx", ["simd"]] as unknown as readonly "simd"[]) {
    expect(() => compileKernel(kernelOf("binary32"), { form })).toThrow(
      "a module's form is one of scalar, simd, relaxed",
    );
  }
});

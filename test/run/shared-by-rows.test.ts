// Kernels whose arrays are not all of values per element: columns and single numbers that all rows share, without rows among them; what
// fits at the very end of a memory; and kernels that no typed array serves.

import { describe, expect, test } from "vitest";
import { interpret, type Kernel, KernelBuilder, type Over } from "../../packages/lutra/src/kernel/index.ts";
import { integerFormat } from "../../packages/lutra/src/num/index.ts";
import { compileKernel, footprint, openPool } from "../../packages/lutra/src/run/index.ts";

const FORMAT = integerFormat(true, 32, 1);
const SPEC = { fn: "x", domain: { lo: -(2 ** 31), hi: 2 ** 31 - 1 }, input: FORMAT, output: FORMAT };
const FORMS = ["scalar", "simd"] as const;

/** p + 1, of a param over this. */
function plusOne(over: Over): Kernel {
  const build = new KernelBuilder();
  return build.finish(SPEC, build.binary("add", build.param("p", over), build.constant(1)));
}

/** x + g for each element, g + 1 for each column, o + 1 once. */
function mixed(): Kernel {
  const build = new KernelBuilder();
  const [x, g, o] = [build.param("x", "element"), build.param("g", "column"), build.param("o", "one")];
  const one = build.constant(1);
  return build.finish(SPEC, build.binary("add", x, g), build.binary("add", g, one), build.binary("add", o, one));
}

describe.each(FORMS)("in the %s form", (form) => {
  test.each(["column", "one"] as const)("arrays that are all over %s are answered", (over) => {
    const kernel = plusOne(over);
    const { run, buffers } = compileKernel(kernel, { form });
    const p = over === "column" ? Float32Array.from({ length: 1000 }, (_, i) => i) : Float32Array.of(4);
    const meant = Float32Array.from(interpret(kernel, { p }, 1, p.length)[0] as Float64Array);
    expect(run(p)).toEqual(meant);
    const { input, output } = over === "column" ? buffers({ rows: 3, columns: p.length }) : buffers(1);
    input.set(p);
    expect(run(input, output)).toEqual(meant);
    const size = over === "column" ? { rows: 1, columns: p.length } : 1;
    expect(footprint(kernel, size, form)).toBeGreaterThan(footprint(kernel, undefined, form));
  });

  test("three values for a param that is one number are refused", () => {
    const { run } = compileKernel(plusOne("one"), { form });
    expect(() => run(Float32Array.of(1, 2, 3))).toThrow("the input has 3 values, 1 elements have 1");
  });

  test.each(["elsewhere", "inside"])("without rows, what all rows share is answered: arrays %s", (where) => {
    const kernel = mixed();
    const { run, buffers } = compileKernel(kernel, { form });
    const given = { x: new Float32Array(0), g: Float32Array.of(1, 2, 3), o: Float32Array.of(7) };
    const meant = interpret(kernel, given, 0, 3).map((answers) => [...answers]);
    expect(meant).toEqual([[], [2, 3, 4], [8]]);
    const own = buffers({ rows: 0, columns: 3 });
    own.inputs.g.set(given.g);
    own.inputs.o.set(given.o);
    const outputs = where === "inside" ? run(own.inputs, own.outputs) : run(given, {} as Record<string, Float32Array>);
    expect(Object.values(outputs).map((answers) => [...answers])).toEqual(meant);
  });
});

test("a pool answers what all rows share too", async () => {
  const pool = await openPool(plusOne("column"), { threads: 2 });
  const { input, output } = pool.buffers({ rows: 1, columns: 100 });
  input.fill(2);
  expect(pool.run(input, output).every((y) => y === 3)).toBe(true);
  pool.close();
});

test("a region without room for copies may be at the very end of a memory", () => {
  const build = new KernelBuilder();
  const x = build.param("x", "element");
  const kernel = build.finish(SPEC, build.binary("sub", x, build.reduce("max", x)));
  const memory = new WebAssembly.Memory({ initial: 1 });
  const bytes = footprint(kernel, { rows: 0, columns: 16 });
  const base = Math.floor((65536 - bytes) / 64) * 64;
  const { run } = compileKernel(kernel, { memory: { memory, base, bytes: 65536 - base } });
  const values = new Float32Array(memory.buffer, 1024, 16).map((_, i) => i);
  const inside = new Float32Array(memory.buffer, 1024, 16);
  inside.set(values);
  expect([...run(inside, inside, 16)]).toEqual([...values].map((value) => value - 15));
  expect(() => run(values, undefined, 16)).toThrow("copies of arrays that are elsewhere need");
});

test("only sums of integers limit the length of a row", () => {
  const rowsOf = (lane: "f32" | "i32", how: "add" | "max"): Kernel => {
    const build = new KernelBuilder();
    const x = build.param("x", "element", lane, lane === "i32" ? [-100, 100] : undefined);
    return build.finish({ ...SPEC, maxRow: 4 }, build.reduce(how, x));
  };
  expect(() => compileKernel(rowsOf("i32", "add")).run(new Int32Array(5), undefined, 5)).toThrow(
    "1 to 4 columns, got 5",
  );
  expect([...compileKernel(rowsOf("i32", "max")).run(new Int32Array(5), undefined, 5)]).toEqual([0]);
  expect([...compileKernel(rowsOf("f32", "add")).run(new Float32Array(5), undefined, 5)]).toEqual([0]);
});

test.each(["param", "result"])("a kernel with a %s of 64 bits is refused for that", (which) => {
  const build = new KernelBuilder();
  const wide = build.param("x", "element", which === "param" ? "i64" : "i32", [-100, 100]);
  const kernel = build.finish(SPEC, build.cast(wide, which === "param" ? "i32" : "i64"));
  const named = which === "param" ? "x" : "y";
  const refusal = expect.objectContaining({
    code: "unsupported",
    message: `"${named}" has integers of 64 bits, which no typed array of numbers holds`,
  });
  expect(() => compileKernel(kernel)).toThrow(refusal);
  expect(() => footprint(kernel)).toThrow(refusal);
});

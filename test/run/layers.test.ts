// Real kernels through compileKernel and openPool, bit for bit as interpret says: rows and elements, several inputs and outputs, one thread and
// three, arrays in the kernel's memory and elsewhere; and the form that a kernel gets. All kernels in all forms are test/target/wasm's.

import { describe, expect, test } from "vitest";
import { interpret, type Kernel, KernelBuilder, laneRange, type Value } from "../../packages/lutra/src/kernel/index.ts";
import { cordic, iLayerNorm, iSoftmax, onFloats, softermax } from "../../packages/lutra/src/layer/index.ts";
import { BINARY32, parseFormat } from "../../packages/lutra/src/num/index.ts";
import { sizeOver } from "../../packages/lutra/src/run/call.ts";
import { type Codes, newCodes } from "../../packages/lutra/src/run/codes.ts";
import { compileKernel, openPool } from "../../packages/lutra/src/run/index.ts";
import { rowBytes } from "../../packages/lutra/src/run/layout.ts";
import { FORMS } from "../target/wasm/forms.ts";
import { kernelOf } from "./kernels.ts";

const MAX_ROW = 128;
/** Of arrays for which a pool wakes its threads. */
const LARGE_BYTES = 4.5 * 2 ** 20;

/** y0 = x g + r for each element, y1 = the sum of each row's. */
function twoResults(): Kernel {
  const builder = new KernelBuilder();
  const product = builder.binary("mul", builder.param("x", "element"), builder.param("g", "column"));
  const sum = builder.binary("add", product, builder.param("r", "row"));
  const domain = { lo: -Infinity, hi: Infinity };
  return builder.finish({ fn: "x", domain, input: BINARY32, output: BINARY32 }, sum, builder.reduce("add", sum));
}

const KERNELS: Readonly<Record<string, Kernel>> = {
  float: kernelOf("binary32"),
  int8: kernelOf("int8"),
  cordic: cordic("exp", parseFormat("s16.11"), { iterations: 12, output: parseFormat("u32.13") }),
  softermax: softermax(MAX_ROW),
  iSoftmax: iSoftmax(parseFormat("s16.8"), { maxRow: MAX_ROW }),
  iLayerNorm: iLayerNorm(parseFormat("s16.10"), { columns: MAX_ROW, bias: true }),
  onFloats: onFloats(iSoftmax(parseFormat("s16.8"), { maxRow: MAX_ROW })),
  twoResults: twoResults(),
};

/** Params of a kernel with numbers of all sizes. */
function inputsOf(kernel: Kernel, rows: number, columns: number): Record<string, Codes> {
  const params = kernel.values.filter((value): value is Value & { op: "param" } => value.op === "param");
  const entries = params.map(({ name, lane, over, range }) => {
    const codes = newCodes(lane, sizeOver(over, { rows, columns }));
    const { lo, hi } = laneRange(lane) ?? { lo: -9, hi: 9 };
    const [from, to] = range ?? [lo, hi];
    for (let i = 0; i < codes.length; i++) {
      const fraction = (Math.imul(i + 3, 0x9e3779b1) >>> 0) / 2 ** 32;
      codes[i] = lane === "f32" ? from + (to - from) * fraction : Math.round(from + (to - from) * fraction);
    }
    return [name, codes] as const;
  });
  return Object.fromEntries(entries);
}

function differing(codes: Codes, expected: Float64Array): number {
  return Array.from(codes).findIndex(
    (y, i) => !Object.is(y, expected[i]) && !(Number.isNaN(y) && Number.isNaN(expected[i])),
  );
}

describe.each(Object.entries(KERNELS))("%s", (_name, kernel) => {
  const { isOverRows, results } = compileKernel(kernel).module;
  const sizes = isOverRows
    ? ([
        [5, 100],
        [3, 16],
        [2, 1],
      ] as const)
    : ([
        [1001, 1],
        [3, 1],
      ] as const);
  const columnsOf = (columns: number): number | undefined => (isOverRows ? columns : undefined);

  test.each(FORMS)("in the %s form gives the bits of interpret", (form) => {
    const compiled = compileKernel(kernel, { form });
    expect(compiled.form).toBe(form);
    for (const [rows, columns] of sizes) {
      const inputs = inputsOf(kernel, rows, columns);
      const expected = isOverRows ? interpret(kernel, inputs, rows, columns) : interpret(kernel, inputs, columns, rows);
      const buffers = compiled.buffers({ rows, columns });
      for (const [name, codes] of Object.entries(inputs)) buffers.inputs[name].set(codes);
      const outside = compiled.run(inputs, {}, columnsOf(columns));
      const inside = compiled.run(buffers.inputs, buffers.outputs, columnsOf(columns));
      results.forEach(({ name }, i) => {
        expect(differing(outside[name], expected[i])).toBe(-1);
        expect(differing(inside[name], expected[i])).toBe(-1);
      });
    }
  });

  test("by three threads gives the bits of one, several times over", async () => {
    const alone = compileKernel(kernel);
    const pool = await openPool(kernel, { threads: 3 });
    const columns = isOverRows ? MAX_ROW : 1;
    const rows = Math.ceil(LARGE_BYTES / rowBytes({ ...alone.module, threads: 3 }, columns));
    const inputs = inputsOf(kernel, rows, columns);
    const expected = alone.run(inputs, {}, columnsOf(columns));
    const { inputs: shared, outputs } = pool.buffers({ rows, columns });
    for (const [name, codes] of Object.entries(inputs)) shared[name].set(codes);
    for (let round = 0; round < 3; round++) {
      pool.run(shared, outputs, columnsOf(columns));
      for (const { name } of results) {
        const isWrong = (y: number, i: number): boolean => !Object.is(y, expected[name][i]);
        expect((outputs[name] as Float32Array).findIndex(isWrong)).toBe(-1);
        outputs[name].fill(1);
      }
    }
    pool.close();
  });
});

describe("the form", () => {
  test.each(Object.keys(KERNELS))("is one that the engine has, the same for the same kernel: %s", (name) => {
    const { form } = compileKernel(KERNELS[name]);
    expect(FORMS).toContain(form);
    expect(compileKernel(KERNELS[name]).form).toBe(form);
  });

  test("that an engine does not have is refused", () => {
    const validate = WebAssembly.validate;
    WebAssembly.validate = () => false;
    try {
      const kernel = kernelOf("binary32");
      expect(() => compileKernel(kernel, { form: "relaxed" })).toThrow("does not run the relaxed form of WebAssembly");
      expect(() => compileKernel(kernel)).toThrow("does not run the scalar form of WebAssembly");
    } finally {
      WebAssembly.validate = validate;
    }
  });
});

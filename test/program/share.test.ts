// Kernels shared between steps: what only differs in integers is one kernel, and no answer changes.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type Kernel,
  KernelBuilder,
  type Lane,
  laneRange,
  type Value,
  verify as verifyKernel,
} from "../../packages/lutra/src/kernel/index.ts";
import { type Interval, integerFormat, random } from "../../packages/lutra/src/num/index.ts";
import {
  interpret,
  type Program,
  type Size,
  type Step,
  shareKernels,
  type TensorLane,
  type TensorType,
  verify,
} from "../../packages/lutra/src/program/index.ts";
import { randomKernel } from "../kernel/random-kernel.ts";
import { classifier, epilogue, programOf } from "./programs.ts";

const SPEC = {
  fn: "x",
  domain: { lo: -1, hi: 1 },
  input: integerFormat(true, 8, 1),
  output: integerFormat(true, 32, 1),
} as const;

/** Kernels of "x" (i8, a row besides so that it is no function of one code), as steps over one input; their results are all outputs. */
function stepsOf(kernels: readonly Kernel[], ranges: readonly (readonly [number, number] | null)[] = []): Program {
  const names = kernels.map((_, i) => `y${i}`);
  const types = kernels.map((kernel, i): TensorType => {
    const { lane } = kernel.values[kernel.results[0] as number] as Value;
    const range = ranges[i] ?? null;
    return { lane: lane as TensorLane, shape: [2, 3], ...(range === null ? {} : { range }) };
  });
  return programOf(
    {
      x: { lane: "i8", shape: [2, 3] },
      row: { lane: "i8", shape: [2] },
      ...Object.fromEntries(names.map((name, i) => [name, types[i] as TensorType])),
    },
    kernels.map((kernel, i) => ({
      ...{ op: "kernel", kernel, tile: [2, 3], arguments: { x: "x", row: "row" }, results: [names[i] as string] },
    })),
    { inputs: ["x", "row"], outputs: Object.fromEntries(names.map((name) => [name, name])) },
  );
}

const INPUTS = {
  x: { shape: [2, 3], data: Int8Array.of(-128, -1, 0, 1, 100, 127) },
  row: { shape: [2], data: Int8Array.of(-5, 7) },
};

function build(make: (build: KernelBuilder, x: number) => number): Kernel {
  const builder = new KernelBuilder();
  const x = builder.binary(
    "add",
    builder.cast(builder.param("x", "element", "i8"), "i32"),
    builder.cast(builder.param("row", "row", "i8"), "i32"),
  );
  return builder.finish(SPEC, make(builder, x));
}

const scaled = (by: number, shift: number): Kernel =>
  build((b, x) => b.shiftRight(b.binary("mul", x, b.integer(by)), b.integer(shift), "half-up"));

function stepsIn({ blocks }: Program): readonly Step[] {
  return blocks.flatMap(({ steps }) => steps);
}

function kernelsOf(program: Program): readonly Kernel[] {
  return [...new Set(stepsIn(program).flatMap((step) => ("kernel" in step ? [step.kernel] : [])))];
}

function expectSame(program: Program, inputs: Parameters<typeof interpret>[1]): Program {
  const shared = shareKernels(program);
  verify(shared);
  expect(interpret(shared, inputs)).toEqual(interpret(program, inputs));
  return shared;
}

describe("kernels that differ in integers only", () => {
  it("become one, whose steps are given these as scalars; what is the same in all stays", () => {
    const shared = expectSame(stepsOf([scaled(300, 4), scaled(-20, 4), scaled(7, 4)]), INPUTS);
    const [kernel, ...others] = kernelsOf(shared);
    expect(others).toEqual([]);
    const params = kernel?.values.filter(({ op }) => op === "param").slice(2);
    expect(params).toEqual([{ op: "param", name: "c0", range: [-20, 300], lane: "i32", over: "one" }]);
    expect(kernel?.values.filter(({ op }) => op === "const")).toMatchObject([{ value: 4 }]);
    const steps = stepsIn(shared) as readonly (Step & { op: "kernel" })[];
    expect(steps.map((step) => step.arguments.c0)).toEqual(["300", "-20", "7"]);
    expect(shared.tensors["-20"]).toEqual({ lane: "i32", shape: [] });
    expect(shared.constants["-20"]).toEqual(Int32Array.of(-20));
    expect(shareKernels(shared)).toEqual(shared);
  });

  it("are given equal scalars as one tensor, whatever they are for", () => {
    const shared = expectSame(stepsOf([scaled(3, 2), scaled(2, 3), scaled(3, 3)]), INPUTS);
    expect(kernelsOf(shared)).toHaveLength(1);
    expect(Object.keys(shared.constants).sort()).toEqual(["2", "3"]);
  });

  it("may be in lanes that no tensor has", () => {
    const wide = (by: number): Kernel =>
      build((b, x) =>
        b.cast(b.shiftRight(b.binary("mul", b.cast(x, "i64"), b.integer(by, "i64")), b.integer(20), "floor"), "i32"),
      );
    expect(kernelsOf(expectSame(stepsOf([wide(2 ** 31 - 1), wide(5)]), INPUTS))).toHaveLength(1);
    expect(kernelsOf(expectSame(stepsOf([wide(2 ** 32 - 1), wide(5)]), INPUTS))).toHaveLength(1);
    expect(kernelsOf(expectSame(stepsOf([wide(2 ** 32 - 1), wide(-5)]), INPUTS))).toHaveLength(2);
    expect(kernelsOf(expectSame(stepsOf([wide(2 ** 40), wide(5), wide(6)]), INPUTS))).toHaveLength(2);
  });

  it("take names that no param has", () => {
    const named = (by: number): Kernel => {
      const kernel = scaled(by, 1);
      const values = kernel.values.map((value) =>
        value.op === "param" && value.name === "row" ? { ...value, name: "c0" } : value,
      );
      return { ...kernel, values };
    };
    const program = stepsOf([named(5), named(6)]);
    const steps = (stepsIn(program) as (Step & { op: "kernel" })[]).map((step) => ({
      ...step,
      arguments: { x: "x", c0: "row" },
    }));
    const [kernel] = kernelsOf(expectSame({ ...program, blocks: [{ name: "all", steps }] }, INPUTS));
    expect(kernel?.values.flatMap((value) => (value.op === "param" ? [value.name] : []))).toEqual(["x", "c0", "cc0"]);
  });

  it("are parted where one kernel would overflow", () => {
    const up = (by: number, shift: number): Kernel =>
      build((b, x) => b.shiftLeft(b.binary("mul", x, b.integer(by)), b.integer(shift)));
    const shared = expectSame(stepsOf([up(3, 20), up(5, 20), up(2 ** 21, 1), up(2 ** 20, 1)]), INPUTS);
    expect(kernelsOf(shared)).toHaveLength(2);
  });

  it("are parted where values would be wider than in the widest of them", () => {
    // 16 bits each, 17 together.
    const one = (by: number, shift: number): Kernel =>
      build((b, x) => b.shiftRight(b.binary("mul", x, b.integer(by)), b.integer(shift), "floor"));
    expect(kernelsOf(expectSame(stepsOf([one(240, 1), one(60, 0)]), INPUTS))).toHaveLength(2);
    expect(kernelsOf(expectSame(stepsOf([one(240, 1), one(120, 1)]), INPUTS))).toHaveLength(1);
  });

  it("are parted where results would leave what their tensors promise", () => {
    const limited = (most: number): Kernel => build((b, x) => b.binary("min", x, b.integer(most)));
    const program = stepsOf([limited(50), limited(60)], [[-256, 50], null]);
    expect(kernelsOf(expectSame(program, INPUTS))).toHaveLength(2);
  });

  it("keep them where the kernel is a function of one code", () => {
    const one = (by: number): Kernel => {
      const b = new KernelBuilder();
      const x = b.cast(b.param("x", "element", "i8"), "i32");
      return b.finish(SPEC, b.binary("mul", x, b.integer(by)));
    };
    expect(kernelsOf(expectSame(stepsOf([one(3), one(4), one(3)]), INPUTS))).toHaveLength(2);
  });

  it("keep shifts by 0, which are none", () => {
    const shared = expectSame(stepsOf([scaled(3, 0), scaled(3, 2), scaled(4, 3), scaled(5, 0)]), INPUTS);
    const params = kernelsOf(shared).map(({ values }) => values.filter(({ op }) => op === "param").length);
    expect(params).toEqual([3, 4]);
  });

  it("are shared by products too", () => {
    const program = classifier();
    const [product, ...others] = stepsIn(program) as [Step & { op: "product" }, ...Step[]];
    const again = { ...product, kernel: epilogue(7), results: ["again"] };
    const tensors = { ...program.tensors, again: program.tensors.logits as TensorType };
    const blocks = [{ name: "all", steps: [product, again, ...others] }];
    const outputs = { ...program.outputs, again: "again" };
    const x = { shape: [3, 12], data: Int8Array.from({ length: 36 }, (_, i) => 7 * i - 120) };
    const shared = expectSame({ ...program, tensors, blocks, outputs }, { x });
    expect(kernelsOf(shared)).toHaveLength(2);
  });
});

describe("programs of random kernels", () => {
  const LANES: readonly Lane[] = ["i8", "u8", "i16", "u16", "i32", "u32"];
  const shapeOver = { one: [], row: [3], column: [5], element: [3, 5] } as const;

  /** The kernel with other integers, where the rules allow them. */
  function varied(kernel: Kernel, seed: number): Kernel {
    const source = random(seed);
    let current = kernel;
    for (const [i, value] of kernel.values.entries()) {
      if (value.op !== "const" || value.lane === "f32" || source.uniform() < 0.3) continue;
      const { lo, hi } = laneRange(value.lane) as Interval;
      const moved = Math.floor(value.value * (0.5 + source.uniform()) + 4 * source.uniform() - 2);
      const other = { ...value, value: Math.min(hi, Math.max(lo, moved)) };
      const next = { ...current, values: current.values.map((each, at) => (at === i ? other : each)) };
      try {
        verifyKernel(next);
        current = next;
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
      }
    }
    return current;
  }

  /** Each kernel over the same inputs; null where a result is in no lane of tensors. */
  function programOfVariants(kernels: readonly Kernel[]): Program | null {
    const [{ values, results }] = kernels as readonly [Kernel];
    const kept = results.map((at) => values[at] as Value);
    if (kept.some(({ lane }) => !LANES.includes(lane))) return null;
    const tensors: Record<string, TensorType> = {};
    for (const value of values) {
      if (value.op !== "param") continue;
      const type = { lane: value.lane as TensorLane, shape: shapeOver[value.over] as readonly Size[] };
      tensors[value.name] = { ...type, ...(value.range === undefined ? {} : { range: value.range }) };
    }
    const inputs = Object.keys(tensors);
    const steps = kernels.map((kernel, k): Step => {
      const names = kept.map(({ lane, over }, i) => {
        tensors[`y${k} ${i}`] = { lane: lane as TensorLane, shape: shapeOver[over] };
        return `y${k} ${i}`;
      });
      const args = Object.fromEntries(inputs.map((name) => [name, name]));
      return { op: "kernel", kernel, tile: [3, 5], arguments: args, results: names };
    });
    const outputs = Object.keys(tensors).filter((name) => !inputs.includes(name));
    return programOf(tensors, steps, { inputs, outputs: Object.fromEntries(outputs.map((name) => [name, name])) });
  }

  it("give the same bits, for sampled kernels and integers", () => {
    let shared = 0;
    fc.assert(
      fc.property(randomKernel({ lanes: LANES }), fc.nat(1e6), (kernel, seed) => {
        const variants = [kernel, ...[1, 2, 3].map((k) => varied(kernel, seed + k))];
        const program = programOfVariants(variants);
        if (program === null) return;
        const source = random(seed);
        const inputs = program.inputs.map((name) => {
          const { lane, range, shape } = program.tensors[name] as TensorType;
          const { lo, hi } = range === undefined ? (laneRange(lane) as Interval) : { lo: range[0], hi: range[1] };
          const count = (shape as readonly number[]).reduce((a, b) => a * b, 1);
          const data = Float64Array.from({ length: count }, () => lo + Math.floor(source.uniform() * (hi - lo + 1)));
          return [name, { shape: shape as readonly number[], data }] as const;
        });
        const after = expectSame(program, Object.fromEntries(inputs));
        const distinct = new Set(variants.map((each) => JSON.stringify(each))).size;
        expect(kernelsOf(after).length).toBeLessThanOrEqual(distinct);
        if (kernelsOf(after).length < distinct) shared++;
      }),
      { seed: 41, numRuns: 400 },
    );
    expect(shared).toBeGreaterThan(50);
  });
});

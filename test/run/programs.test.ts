// Programs in WebAssembly against the interpreter: products of all kinds of factors, moves of all kinds of boxes, runs of many lengths. Seeded.

import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { sizeOf, type Tensor, type Tensors } from "../../packages/lutra/src/base/index.ts";
import { type Kernel, KernelBuilder, LANE_ARRAYS } from "../../packages/lutra/src/kernel/index.ts";
import { integerFormat, random } from "../../packages/lutra/src/num/index.ts";
import {
  type Codes,
  interpret,
  type Program,
  type Step,
  type TensorLane,
  type TensorType,
  verify,
} from "../../packages/lutra/src/program/index.ts";
import { openProgram } from "../../packages/lutra/src/run/index.ts";
import { emitProgram } from "../../packages/lutra/src/target/wasm/index.ts";
import { classifier, epilogue, plain, programOf } from "../program/programs.ts";
import { describeWith } from "../shared.ts";
import { FAMILIES, withoutBaselineCompiler } from "../target/wasm/forms.ts";

withoutBaselineCompiler();

const source = random(7);

function codes(lane: TensorLane, length: number, lo: number, hi: number): Codes {
  const list = new LANE_ARRAYS[lane](length);
  for (let i = 0; i < length; i++) list[i] = Math.floor(lo + source.uniform() * (hi - lo + 1));
  return list;
}

function pick<T>(list: readonly T[]): T {
  return list[Math.floor(source.uniform() * list.length)] as T;
}

/** Every tensor, not the outputs alone. */
function expectEqual(program: Program, inputs: Tensors, form: "simd" | "relaxed", note: string): void {
  verify(program);
  const wanted: [string, Tensor][] = [];
  const found: [string, Tensor][] = [];
  const outputs = interpret(program, inputs, { observe: (name, tensor) => wanted.push([name, tensor]) });
  const loaded = openProgram(program, { form });
  expect(loaded.runCodes(inputs, { observe: (name, tensor) => found.push([name, tensor]) }), note).toEqual(outputs);
  expect(found, note).toEqual(wanted);
}

/** How far the sums of a row are below its largest, and the largest itself. */
function below(): Kernel {
  const build = new KernelBuilder();
  const sums = build.param("sums", "element", "i32", [-(2 ** 29), 2 ** 29]);
  const top = build.reduce("max", sums);
  const format = integerFormat(true, 32, 1);
  const spec = { fn: "x", domain: { lo: -1, hi: 1 }, input: format, output: format, maxRow: 512 };
  return build.finish(spec, build.binary("sub", sums, top), top);
}

/** sums + residual, saturated to i16. */
function residual(): Kernel {
  const build = new KernelBuilder();
  const sums = build.param("sums", "element", "i32", [-(2 ** 29), 2 ** 29]);
  const sum = build.binary("add", sums, build.cast(build.param("residual", "element", "i16"), "i32"));
  const spec = {
    fn: "x",
    domain: { lo: -1, hi: 1 },
    input: integerFormat(true, 32, 1),
    output: integerFormat(true, 16, 1),
  };
  return build.finish(spec, build.cast(sum, "i16"));
}

const LEFT: readonly TensorType[] = [
  { lane: "i8", shape: [] },
  { lane: "i8", shape: [], range: [-63, 63] },
  { lane: "u8", shape: [], range: [0, 127] },
  { lane: "u8", shape: [] },
  { lane: "i16", shape: [], range: [-2000, 2000] },
];
const RIGHT: readonly (TensorType & { readonly isConstant: boolean })[] = [
  { lane: "i8", shape: [], range: [-63, 63], isConstant: true },
  { lane: "i8", shape: [], range: [-128, 127], isConstant: true },
  { lane: "i8", shape: [], range: [-64, 63], isConstant: false },
  { lane: "i8", shape: [], isConstant: false },
  { lane: "i16", shape: [], range: [-2000, 2000], isConstant: false },
];
const OUTER: readonly (readonly [readonly number[], readonly number[]])[] = [
  [[], []],
  [[2], []],
  [[], [2]],
  [
    [2, 3],
    [2, 1],
  ],
  [
    [3, 1],
    [2, 1, 4],
  ],
];
const KERNELS = [
  { kernel: plain(), arguments: {}, lanes: ["i32"] },
  { kernel: epilogue(5), arguments: { bias: "bias" }, lanes: ["i8"] },
  { kernel: below(), arguments: {}, lanes: ["i32", "i32"] },
  { kernel: residual(), arguments: { residual: "residual" }, lanes: ["i16"] },
] as const;

function common(a: readonly number[], b: readonly number[]): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => Math.max(a.at(i - rank) ?? 1, b.at(i - rank) ?? 1));
}

interface Case {
  readonly left: TensorType;
  readonly right: (typeof RIGHT)[number];
  readonly outer: (typeof OUTER)[number];
  readonly isTransposed: boolean;
  readonly ending: (typeof KERNELS)[number];
  readonly sizes: readonly [m: number, k: number, n: number];
}

function productProgram({ left, right, outer, isTransposed, ending, sizes: [m, k, n] }: Case): {
  readonly program: Program;
  readonly inputs: Tensors;
} {
  const [outerA, outerB] = outer;
  const tile = [...common(outerA, outerB), m, n];
  const shapeA = [...outerA, m, k];
  const shapeB = [...outerB, ...(isTransposed ? [n, k] : [k, n])];
  const span = (type: TensorType): readonly [number, number] =>
    type.range ?? (type.lane === "u8" ? [0, 255] : [-128, 127]);
  const a = codes(left.lane, sizeOf(shapeA), ...span(left));
  const b = codes(right.lane, sizeOf(shapeB), ...span(right));
  const { isConstant, ...typeB } = right;
  const tensors: Record<string, TensorType> = {
    x: { ...left, shape: shapeA },
    b: isConstant ? { lane: right.lane, shape: shapeB } : { ...typeB, shape: shapeB },
    bias: { lane: "i32", shape: [n] },
    residual: { lane: "i16", shape: tile },
    y: { lane: ending.lanes[0], shape: tile },
    top: { lane: "i32", shape: tile.slice(0, -1) },
  };
  const step: Step = {
    op: "product",
    ...{ a: "x", b: "b", isTransposed, kernel: ending.kernel, arguments: ending.arguments },
    results: ending.lanes.length === 2 ? ["y", "top"] : ["y"],
  };
  const constants = {
    ...(isConstant ? { b } : {}),
    bias: codes("i32", n, -(2 ** 20), 2 ** 20) as Codes,
    residual: codes("i16", sizeOf(tile), -30000, 30000),
  };
  const program = programOf(tensors, [step], { constants, inputs: isConstant ? ["x"] : ["x", "b"] });
  return { program, inputs: { x: { shape: shapeA, data: a }, b: { shape: shapeB, data: b } } };
}

describe.each(FAMILIES)("a program in %s WebAssembly", (form) => {
  it.each(LEFT.flatMap((left) => RIGHT.map((right) => ({ left, right }))))(
    "multiplies $left.lane $left.range by $right.lane $right.range",
    ({ left, right }) => {
      for (let i = 0; i < 24; i++) {
        const sizes = [pick([1, 2, 5, 7, 30]), pick([1, 3, 4, 8, 31, 70]), pick([1, 4, 8, 15, 16, 33, 144])] as const;
        const shape = { outer: pick(OUTER), isTransposed: pick([true, false]), ending: pick(KERNELS), sizes };
        const { program, inputs } = productProgram({ left, right, ...shape });
        expectEqual(program, inputs, form, JSON.stringify({ ...shape, ending: KERNELS.indexOf(shape.ending) }));
      }
    },
  );

  it("cuts large products into blocks of rows and columns", () => {
    const [left, right] = [LEFT[0] as TensorType, RIGHT[0] as (typeof RIGHT)[number]];
    for (const [m, k, n] of [
      [400, 20, 288],
      [400, 5, 290],
      [300, 4000, 16],
    ] as const) {
      for (const ending of KERNELS) {
        const shape = { outer: OUTER[0], isTransposed: false, ending, sizes: [m, k, n] } as const;
        const { program, inputs } = productProgram({ left, right, ...shape } as Case);
        expectEqual(program, inputs, form, `${m} x ${k} x ${n}`);
      }
    }
  });

  it("copies boxes of any strides, also where a place is written twice", () => {
    for (const lane of ["i8", "u16", "i32"] as const) {
      for (let i = 0; i < 60; i++) {
        const box = Array.from({ length: pick([1, 2, 3, 4, 6]) }, () => pick([1, 2, 3, 5, 17]));
        const strides = (): number[] => box.map(() => pick([0, 1, 2, 3, 17, 40]));
        const [read, write] = [strides(), strides()];
        const last = (of: readonly number[]): number =>
          box.reduce((at, extent, axis) => at + (extent - 1) * (of[axis] as number), 3);
        const program = programOf({ x: { lane, shape: [last(read) + 1] }, y: { lane, shape: [last(write) + 2] } }, [
          {
            op: "move",
            parts: [{ from: "x", box, read: { start: 3, strides: read }, write: { start: 3, strides: write } }],
            fill: pick([0, 5, 77]),
            result: "y",
          },
        ]);
        const data = codes(lane, last(read) + 1, 0, 100);
        expectEqual(program, { x: { shape: [data.length], data } }, form, JSON.stringify({ lane, box, read, write }));
      }
    }
  });

  it("runs many lengths in turn, and forgets those of long ago", () => {
    const program = classifier();
    const loaded = openProgram(program, { form });
    for (const rows of [3, 40, 0, 1, ...Array.from({ length: 30 }, (_, i) => i), 40, 3]) {
      const inputs = { x: { shape: [rows, 12], data: codes("i8", rows * 12, -128, 127) } };
      expect(loaded.runCodes(inputs), `${rows} rows`).toEqual(interpret(program, inputs));
    }
  });

  it("keeps states from run to run", () => {
    const move = (from: string, result: string): Step => ({
      op: "move",
      parts: [{ from, box: [2], read: { start: 0, strides: [1] }, write: { start: 0, strides: [1] } }],
      fill: 0,
      result,
    });
    const type: TensorType = { lane: "i32", shape: [2] };
    const program = programOf({ x: type, last: type, y: type }, [move("last", "y"), move("x", "last")], {
      states: ["last"],
    });
    const loaded = openProgram(program, { form });
    const states = new Map<string, Codes>();
    for (let i = 0; i < 4; i++) {
      const inputs = { x: { shape: [2], data: Int32Array.of(i, 10 * i) } };
      expect(loaded.runCodes(inputs)).toEqual(interpret(program, inputs, { states }));
    }
  });

  it("refuses inputs that are missing, of another shape, or not what the tensor holds, as the interpreter does", () => {
    const program = classifier();
    const loaded = openProgram(program, { form });
    const good = { shape: [1, 12], data: new Int8Array(12) };
    for (const x of [
      undefined,
      { ...good, shape: [12] },
      { ...good, shape: [1, 11] },
      { ...good, shape: [41, 12] },
      { ...good, data: new Int8Array(11) },
      { ...good, data: Float32Array.from({ length: 12 }, () => 0.5) },
      { ...good, data: Int32Array.from({ length: 12 }, () => 128) },
    ]) {
      const inputs = (x === undefined ? {} : { x }) as Tensors;
      const messageOf = (run: () => unknown): string => {
        try {
          run();
        } catch (error) {
          return (error as Error).message;
        }
        return "no error";
      };
      expect(messageOf(() => loaded.runCodes(inputs))).toBe(messageOf(() => interpret(program, inputs)));
    }
    expect(loaded.runCodes({ x: good })).toEqual(interpret(program, { x: good }));
  });

  it("ends with constants and inputs, and shows reshaped constants", () => {
    const type: TensorType = { lane: "i32", shape: [2] };
    const program = programOf(
      { x: type, one: type, again: type, y: type },
      [
        { op: "reshape", input: "one", result: "again" },
        { op: "exit", when: "one", outputs: { y: "x" } },
        { op: "count", result: "y" },
      ],
      { constants: { one: Int32Array.of(1, 1) } },
    );
    expectEqual(program, { x: { shape: [2], data: Int32Array.of(7, 8) } }, form, "exit");
  });

  it("runs no more once it is released", async () => {
    const loaded = openProgram(classifier(), { form });
    await loaded.release();
    expect(() => loaded.runCodes({})).toThrow("the program was released");
    expect(loaded.memoryBytes).toBe(0);
  });

  it.each<[string, unknown]>([
    ["nothing", undefined],
    ["null", null],
    ["a typed array alone", { x: new Float32Array(12) }],
    ["no data", { x: { shape: [1, 12] } }],
    ["data in a list", { x: { shape: [1, 12], data: Array(12).fill(0) } }],
    ["lengths as texts", { x: { shape: ["1", 12], data: new Float32Array(12) } }],
    ["half a row", { x: { shape: [0.5, 12], data: new Float32Array(6) } }],
    ["dims instead of a shape", { x: { dims: [1, 12], data: new Float32Array(12) } }],
  ])("says what inputs are, given %s", async (_, inputs) => {
    const loaded = openProgram(classifier(), { form });
    await expect(loaded.run(inputs as Tensors)).rejects.toMatchObject({ code: "bad-data" });
    await expect(loaded.run({ x: { shape: [1, 12], data: new Float32Array(12) } }, "y" as never)).rejects.toThrow(
      "a list of names",
    );
  });

  it("takes numbers and gives numbers", async () => {
    const program = classifier();
    const x = { shape: [1, 12], data: Float32Array.from({ length: 12 }, (_, i) => 0.31 * i - 2) };
    const inCodes = Int8Array.from(x.data, (number) => Math.floor(number / 0.1 + 0.5) + 3);
    const answers = await openProgram(program, { form }).run({ x });
    expect(answers).toEqual(interpret(program, { x: { ...x, data: inCodes } }));
  });
});

describeWith({ command: "wasm-objdump" }, "the module of a program", () => {
  it.each(FAMILIES)("has no instruction on floats: %s", (form) => {
    const folder = mkdtempSync(join(tmpdir(), "lutra-program-"));
    try {
      const path = join(folder, "program.wasm");
      writeFileSync(path, emitProgram(classifier(), form).bytes);
      const lines = execFileSync("wasm-objdump", ["-d", path], { encoding: "utf8", maxBuffer: 2 ** 28 }).split("\n");
      const instructions = lines.flatMap((line) => line.split("|")[1]?.trim().split(" ")[0] ?? []);
      expect(instructions.length).toBeGreaterThan(1000);
      expect(instructions.filter((instruction) => /f32|f64/.test(instruction))).toEqual([]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

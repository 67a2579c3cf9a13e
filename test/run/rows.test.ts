// Rows, several inputs and several outputs, on a stand-in for a module: y0 = x * g + r + o for each element, y1 = the sum of each row's y0, which it
// adds up in scratch. So run's own part is tested alone: names, lengths, parts, addresses.

import { describe, expect, test } from "vitest";
import { type Inputs, signatureOf } from "../../packages/lutra/src/run/call.ts";
import type { Codes } from "../../packages/lutra/src/run/codes.ts";
import { type Compute, Runner } from "../../packages/lutra/src/run/runner.ts";
import { type Region, Workspace } from "../../packages/lutra/src/run/workspace.ts";
import type { EmittedModule } from "../../packages/lutra/src/target/wasm/index.ts";

const MODULE = {
  params: [
    { name: "x", lane: "f32", over: "element" },
    { name: "g", lane: "i16", over: "column" },
    { name: "r", lane: "f32", over: "row" },
    { name: "o", lane: "i8", over: "one" },
  ],
  results: [
    { name: "y0", lane: "f32", over: "element" },
    { name: "y1", lane: "i32", over: "row" },
  ],
  isOverRows: true,
  maxColumns: 60_000,
  scratchBytesPerColumn: 4,
} as const satisfies Partial<EmittedModule>;
const HEAP = 1024;

interface Stand {
  readonly runner: Runner;
  readonly memory: WebAssembly.Memory;
  /** Rows of each call of the module. */
  readonly calls: number[];
}

function stand(region?: Region): Stand {
  const memory = new WebAssembly.Memory({ initial: 4 });
  const calls: number[] = [];
  const compute: Compute = ([x, g, r, o, y0, y1], scratch, { rows, columns }) => {
    calls.push(rows);
    const floats = (address: number, length: number): Float32Array => new Float32Array(memory.buffer, address, length);
    const sums = floats(scratch, columns);
    for (let row = 0; row < rows; row++) {
      const at = 4 * row * columns;
      const slopes = new Int16Array(memory.buffer, g, columns);
      const answers = floats(x + at, columns).map(
        (value, i) => value * slopes[i] + floats(r, rows)[row] + new Int8Array(memory.buffer, o, 1)[0],
      );
      sums.set(answers);
      floats(y0 + at, columns).set(answers);
      new Int32Array(memory.buffer, y1, rows)[row] = sums.reduce((sum, value) => sum + value);
    }
  };
  const signature = signatureOf(MODULE as unknown as EmittedModule);
  const workspace = new Workspace(memory, HEAP, region);
  return { runner: new Runner({ signature, needs: { ...MODULE, threads: 1 }, workspace, compute }), memory, calls };
}

function example(rows: number, columns: number): Record<"x" | "g" | "r" | "o", Codes> {
  return {
    x: Float32Array.from({ length: rows * columns }, (_, i) => (i * 7) % 11),
    g: Int16Array.from({ length: columns }, (_, i) => (i % 5) - 2),
    r: Float32Array.from({ length: rows }, (_, i) => i % 3),
    o: Int8Array.of(-4),
  };
}

function expected({ x, g, r, o }: ReturnType<typeof example>): { y0: number[]; y1: number[] } {
  const columns = g.length;
  const y0 = Array.from(x, (value, i) => value * g[i % columns] + r[Math.floor(i / columns)] + o[0]);
  const y1 = Array.from(r, (_, row) => y0.slice(row * columns, (row + 1) * columns).reduce((a, b) => a + b, 0));
  return { y0, y1 };
}

function run({ runner }: Stand, inputs: Inputs, columns?: number): { y0: number[]; y1: number[] } {
  const outputs: Record<string, Codes> = {};
  runner.run(inputs, outputs, columns);
  return { y0: [...outputs.y0], y1: [...outputs.y1] };
}

describe("rows", () => {
  test.each([
    [1, 1],
    [3, 5],
    [1000, 100],
    [7, 40_000],
    [1, 60_000],
    [0, 16],
  ])("of arrays from elsewhere: %s x %s", (rows, columns) => {
    const inputs = example(rows, columns);
    expect(run(stand(), inputs)).toEqual(expected(inputs));
  });

  test("go through the memory in parts of whole rows, one at least", () => {
    const stood = stand();
    run(stood, example(1000, 100));
    expect(stood.calls.length).toBeGreaterThan(5);
    expect(stood.calls.reduce((a, b) => a + b)).toBe(1000);
    stood.calls.length = 0;
    run(stood, example(3, 60_000));
    expect(stood.calls).toEqual([1, 1, 1]);
  });

  test("are worked on where they are if buffers gave the arrays, at once", () => {
    const stood = stand();
    const inputs = example(1000, 100);
    const buffers = stood.runner.buffers({ rows: 1000, columns: 100 });
    for (const name of ["x", "g", "r", "o"] as const) buffers.inputs[name].set(inputs[name]);
    expect(stood.runner.run(buffers.inputs, buffers.outputs)).toBe(buffers.outputs);
    expect(stood.calls).toEqual([1000]);
    expect([...buffers.outputs.y1]).toEqual(expected(inputs).y1);
    expect(buffers.input).toBe(buffers.inputs.x);
    stood.runner.run({ ...buffers.inputs, g: inputs.g }, { ...buffers.outputs, y0: buffers.inputs.x });
    expect([...buffers.inputs.x]).toEqual(expected(inputs).y0);
  });

  test("in place, of arrays from elsewhere", () => {
    const inputs = example(1000, 100);
    const { y0 } = expected(inputs);
    stand().runner.run(inputs, { y0: inputs.x, y1: new Int32Array(1000) });
    expect([...inputs.x]).toEqual(y0);
  });

  test("that are longer than any before need other buffers", () => {
    const { runner } = stand();
    const { inputs, outputs } = runner.buffers({ rows: 60_000, columns: 1 });
    const long = { ...example(1, 60_000), x: inputs.x };
    expect(() => runner.run(long, { y0: outputs.y0, y1: new Int32Array(1) })).toThrow(
      "for copies of arrays that are elsewhere the kernel's memory must grow, and the given arrays in it would detach",
    );
    const buffers = runner.buffers({ rows: 1, columns: 60_000 });
    expect(runner.run({ ...long, x: buffers.inputs.x }, { y0: buffers.outputs.y0 })).toHaveProperty("y1");
  });

  test("in a caller's region need its scratch, and room for a row of arrays from elsewhere", () => {
    const stood = stand({ base: 0, bytes: HEAP + 448 });
    const floats = (at: number, length: number): Float32Array => new Float32Array(stood.memory.buffer, at, length);
    const inside = {
      x: floats(8192, 100),
      g: new Int16Array(stood.memory.buffer, 16384, 100),
      r: floats(20480, 1),
      o: new Int8Array(stood.memory.buffer, 24576, 1),
    };
    const outputs = { y0: floats(32768, 100), y1: new Int32Array(stood.memory.buffer, 40960, 1) };
    inside.x.fill(1);
    inside.g.fill(2);
    stood.runner.run(inside, outputs);
    expect(outputs.y1[0]).toBe(200);
    expect(() => stood.runner.run(example(1, 100), {})).toThrow("copies of arrays that are elsewhere need");
    const tight = stand({ base: 0, bytes: HEAP });
    const there = Object.fromEntries(
      Object.entries(example(1, 100)).map(([name, codes], i) => {
        const moved = new (codes.constructor as Float32ArrayConstructor)(
          tight.memory.buffer,
          8192 * (i + 1),
          codes.length,
        );
        return [name, moved];
      }),
    );
    const results = {
      y0: new Float32Array(tight.memory.buffer, 65536, 100),
      y1: new Int32Array(tight.memory.buffer, 81920, 1),
    };
    expect(() => tight.runner.run(there, results)).toThrow(
      "the kernel's region has 1024 bytes, rows of 100 columns need 1472",
    );
  });
});

describe("rows refuse", () => {
  const { x, g, r, o } = example(3, 5);
  const all = { x, g, r, o };
  test.each<[string, Inputs, Record<string, Codes> | undefined, number | undefined, string]>([
    ["one array", x, {}, undefined, 'this kernel has 4 inputs: "x", "g", "r", "o"'],
    ["a missing one", { x, g, r }, {}, undefined, 'the input "o" is missing'],
    [
      "one of another type",
      { ...all, g: r },
      {},
      undefined,
      'the input "g" of this kernel is a Int16Array, got Float32Array',
    ],
    ["one array for two results", all, undefined, undefined, 'this kernel has 2 outputs: "y0", "y1"'],
    ["another length of rows", all, {}, 3, 'the input "g" has 5 values, 5 rows of 3 columns have 3'],
    [
      "broken rows",
      { ...all, x: x.subarray(1) },
      {},
      undefined,
      'the input "x" has 14 values, 2 rows of 5 columns have 10',
    ],
    [
      "other rows",
      { ...all, r: new Float32Array(4) },
      {},
      undefined,
      'the input "r" has 4 values, 3 rows of 5 columns have 3',
    ],
    [
      "several of one",
      { ...all, o: new Int8Array(2) },
      {},
      undefined,
      'the input "o" has 2 values, 3 rows of 5 columns have 1',
    ],
    ["rows of nothing", all, {}, 0, "this kernel's rows have 1 to 60000 columns, got 0"],
    ["rows that are too long", all, {}, 60_001, "this kernel's rows have 1 to 60000 columns, got 60001"],
    ["a short output", all, { y1: new Int32Array(2) }, undefined, 'the output "y1" has room for 2 answers of 3'],
    ["an output of a name it has not", all, { y: new Int32Array(3) }, undefined, 'nothing named "y", but "y0", "y1"'],
    [
      "an input in place of another",
      all,
      { y0: r as Float32Array },
      undefined,
      'the output "y0" has room for 3 answers of 15',
    ],
  ])("%s", (_what, inputs, outputs, columns, message) => {
    const before = structuredClone(outputs);
    expect(() => stand().runner.run(inputs, outputs, columns)).toThrow(message);
    expect(outputs).toEqual(before);
  });

  test("outputs that overlap one another or an input", () => {
    const shared = new ArrayBuffer(400);
    const outputs = { y0: new Float32Array(shared, 0, 15), y1: new Int32Array(shared, 56, 3) };
    expect(() => stand().runner.run(all, outputs)).toThrow('the output "y0" and the output "y1" overlap');
    const rows = new Float32Array(shared, 64, 3);
    expect(() => stand().runner.run({ ...all, r: rows }, { y1: new Int32Array(shared, 64, 3) })).toThrow(
      'the input "r" and the output "y1" overlap',
    );
  });

  test("a count where rows and columns are needed, and rows without a length", () => {
    expect(() => stand().runner.buffers(15)).toThrow("this kernel works on rows, got a count of 15 values");
    const signature = { ...signatureOf(MODULE as unknown as EmittedModule) };
    const [first] = signature.params;
    const alone = { ...signature, params: [first], results: signature.results.slice(0, 1) };
    const { runner } = stand();
    expect(runner).toBeDefined();
    const workspace = new Workspace(new WebAssembly.Memory({ initial: 1 }), 0);
    const needs = { ...MODULE, params: [first], results: MODULE.results.slice(0, 1), threads: 1 };
    const rowless = new Runner({ signature: alone, needs, workspace, compute: () => undefined });
    expect(() => rowless.run(x)).toThrow("the length of a row is missing");
  });
});

// Kernels as WebAssembly files: what a user's program gets from the loader, and what the module says about itself. That every
// answer has interpret's bits is shown in source.test.ts.
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";
import { beforeAll, describe, expect, it } from "vitest";
import { finish, hash } from "../../packages/lutra/src/base/index.ts";
import { solve } from "../../packages/lutra/src/fit/index.ts";
import { fill, interpret, type Kernel, KernelBuilder } from "../../packages/lutra/src/kernel/index.ts";
import { elementwise } from "../../packages/lutra/src/layer/index.ts";
import { BINARY32, fromBits32, nextUp32, parseFormat } from "../../packages/lutra/src/num/index.ts";
import { problemOf } from "../../packages/lutra/src/question.ts";
import { type EmittedFile, emit, type LoaderOptions } from "../../packages/lutra/src/target/loader/index.ts";
import { ROOT } from "../shared.ts";

type Question = Omit<Parameters<typeof problemOf>[0], "norm">;

function tabled(question: Question, method = "optimal"): Kernel {
  const { table } = finish(solve(problemOf({ norm: "max", ...question }), method, { seed: 1 }));
  return fill(elementwise(table.spec), { f: table });
}

const GELU = tabled({ fn: "gelu", input: BINARY32, segments: 16 });
const CODES = tabled({
  fn: "sigmoid",
  input: parseFormat("int16:0.001"),
  output: parseFormat("uint8:0.004"),
  segments: 8,
});
const FOLDER = join(ROOT, "out", "emitted", "loader");

interface Loaded {
  (...args: unknown[]): Float32Array;
  buffers(...sizes: number[]): Record<string, Float32Array>;
}

interface LoaderModule {
  load(source?: unknown): Promise<Loaded>;
}

function written(kernel: Kernel, options: LoaderOptions): readonly EmittedFile[] {
  mkdirSync(FOLDER, { recursive: true });
  const files = emit(kernel, options);
  for (const file of files) writeFileSync(join(FOLDER, file.name), contentOf(file));
  return files;
}

function contentOf(file: EmittedFile): string | Uint8Array {
  return "text" in file ? file.text : file.bytes;
}

async function imported(name: string): Promise<LoaderModule> {
  return (await import(/* @vite-ignore */ pathToFileURL(join(FOLDER, `${name}.js`)).href)) as LoaderModule;
}

const meaning = (kernel: Kernel, x: ArrayLike<number>): number[] =>
  Array.from(interpret(kernel, { x: Float64Array.from(x) }, 1, x.length)[0] as Float64Array);

const X = Float32Array.from({ length: 40_001 }, (_, i) => (i - 20_000) / 2500);

describe("the files", () => {
  it("are the module, its loader and the loader's types, all saying the same about themselves", () => {
    const files = emit(GELU, { about: ["proven: \u2264 1", "made by: hand"] });
    expect(files.map(({ name }) => name)).toEqual(["lut_gelu.wasm", "lut_gelu.js", "lut_gelu.d.ts"]);
    const [module, ...texts] = files as [EmittedFile & { bytes: Uint8Array<ArrayBuffer> }, ...{ text: string }[]];
    const [section] = WebAssembly.Module.customSections(new WebAssembly.Module(module.bytes), "lutra");
    const lines = new TextDecoder().decode(section).split("\n");
    expect(lines).toEqual([
      "gelu, binary32 to binary32. Made by lutra: change its source, not this file.",
      ...["proven: \u2264 1", "made by: hand", `kernel ${hash(GELU)}`],
    ]);
    const comment = `${lines.map((line) => `// ${line}`).join("\n")}\n`;
    for (const { text } of texts) expect(text.startsWith(comment)).toBe(true);
  });

  it("of several forms are a module each, of which the loader takes the first that its engine runs", async () => {
    const files = written(GELU, { name: "forms", forms: ["relaxed", "scalar"] });
    expect(files.map(({ name }) => name)).toEqual([
      "forms.relaxed.wasm",
      "forms.scalar.wasm",
      "forms.js",
      "forms.d.ts",
    ]);
    writeFileSync(join(FOLDER, "forms.relaxed.wasm"), Uint8Array.of(0, 1, 2, 3));
    const gelu = await (await imported("forms")).load();
    expect([...gelu(X)]).toEqual(meaning(GELU, X));
    writeFileSync(join(FOLDER, "forms.scalar.wasm"), Uint8Array.of(0, 1, 2, 3));
    await expect((await imported("forms")).load()).rejects.toThrow("this engine runs none of the kernel's files");
  });

  it("are small: a module of 16 segments with its loader, compressed, has less than 4 KB", () => {
    expect(compressedBytes(GELU)).toBeLessThan(4096);
  });

  it("are so even of the fastest table of GELU within 1.06e-4, of segments that begin where the 13 upper bits change", () => {
    const magnitudes = Array.from({ length: 9 * 16 + 5 }, (_, i) => fromBits32((120 * 16 + i) * 2 ** 19));
    const breakpoints = [...magnitudes.map((x) => nextUp32(-x)), ...magnitudes].sort((a, b) => a - b);
    expect(compressedBytes(tabled({ fn: "gelu", input: BINARY32, breakpoints, reduce: "none" }))).toBeLessThan(4096);
  });

  it("have types without an error in strict code", () => {
    written(GELU, { name: "typed" });
    const use = `import { type Kernel, load } from "./typed.js";
const gelu: Kernel = await load();
const { x, y } = gelu.buffers(3);
const made: Float32Array = gelu(x, y);
gelu(made);
// @ts-expect-error
gelu([1, 2]);
`;
    writeFileSync(join(FOLDER, "use.mts"), use);
    const tsc = join(ROOT, "node_modules", "typescript", "bin", "tsc");
    const options = ["--ignoreConfig", "--strict", "--noEmit", "--target", "es2022", "--module", "nodenext"];
    const run = [tsc, ...options, "--types", "", "--lib", "es2022,dom", join(FOLDER, "use.mts")];
    expect(execFileSync(process.execPath, run, { encoding: "utf8" })).toBe("");
  });
});

function compressedBytes(kernel: Kernel): number {
  const about = ["proven on (-Infinity, Infinity) (interval, over every finite binary32):", ...BOUNDS];
  const files = emit(kernel, { about }).filter(({ name }) => !name.endsWith(".d.ts"));
  return files.reduce((sum, file) => sum + gzipSync(contentOf(file), { level: 9 }).length, 0);
}

/** As lutra emit writes them. */
const BOUNDS = [
  "  error at most 0.000105935, attained 0.000105932 at x = -2.0156252",
  "  error relative to max(|f|, 0.00006103515625) at most 0.412799, attained 0.412587 at x = -4.875",
  "made by: lutra emit gelu.json --target wasm",
];

describe("a loaded kernel", () => {
  let gelu: Loaded;
  beforeAll(async () => {
    written(GELU, { name: "gelu" });
    gelu = await (await imported("gelu")).load();
  });

  it("answers arrays from elsewhere, of any length", () => {
    for (const length of [0, 1, 5, 16_384, 16_385, X.length]) {
      const x = X.subarray(0, length);
      expect([...gelu(x)]).toEqual(meaning(GELU, x));
    }
  });

  it("writes into a given array, its input among them, and nothing behind the answers", () => {
    const y = new Float32Array(X.length + 3).fill(7);
    expect(gelu(X, y)).toBe(y);
    expect([...y]).toEqual([...meaning(GELU, X), 7, 7, 7]);
    const x = X.slice();
    expect([...gelu(x, x)]).toEqual(meaning(GELU, X));
  });

  it("works in place on arrays in its own memory, a part of one among them", () => {
    const { x, y } = gelu.buffers(X.length) as { readonly x: Float32Array; readonly y: Float32Array };
    x.set(X);
    expect(gelu(x, y)).toBe(y);
    expect([...y]).toEqual(meaning(GELU, X));
    expect([...gelu(x.subarray(3, 9), y.subarray(1, 7))]).toEqual(meaning(GELU, X.subarray(3, 9)));
    expect([...gelu(x, x)]).toEqual(meaning(GELU, X));
    expect([...gelu(X)]).toEqual(meaning(GELU, X));
  });

  it("comes from bytes or a compiled module too", async () => {
    const [{ bytes }] = emit(GELU) as unknown as [{ readonly bytes: Uint8Array<ArrayBuffer> }];
    const { load } = await imported("gelu");
    for (const source of [bytes, new WebAssembly.Module(bytes)]) {
      expect([...(await load(source))(Float32Array.of(1, 2))]).toEqual(meaning(GELU, [1, 2]));
    }
  });

  it("takes integers in the arrays of their formats", async () => {
    written(CODES, { name: "codes" });
    const sigmoid = await (await imported("codes")).load();
    const codes = Int16Array.from({ length: 20_000 }, (_, i) => 3 * i - 30_000);
    const answers = sigmoid(codes) as unknown as Uint8Array;
    expect(answers).toBeInstanceOf(Uint8Array);
    expect([...answers]).toEqual(meaning(CODES, codes));
  });

  const detached = (): Float32Array => {
    const array = Float32Array.of(1, 2);
    structuredClone(array.buffer, { transfer: [array.buffer] });
    return array;
  };

  it.each<[string, () => unknown, string]>([
    ["numbers that are no typed array", () => gelu([1, 2]), "x is no Float32Array"],
    ["a typed array of another kind", () => gelu(new Float64Array(2)), "x is no Float32Array"],
    ["an output of another kind", () => gelu(X, new Int8Array(X.length)), "y is no Float32Array"],
    ["an output that is too short", () => gelu(X, new Float32Array(2)), "y has 2 numbers, 40001 are needed"],
    ["a detached input", () => gelu(detached()), "detached"],
    ["a detached output", () => gelu(new Float32Array(0), detached()), "detached"],
    ["a size below 0", () => gelu.buffers(-1), "n is no count: -1"],
    ["a size that is not whole", () => gelu.buffers(1.5), "n is no count: 1.5"],
    ["a size that is none", () => gelu.buffers("4" as never), "n is no count: 4"],
    ["more memory than there is", () => gelu.buffers(2 ** 30), "grow"],
  ])("refuses %s", (_what, run, message) => {
    expect(run).toThrow(message);
    expect([...gelu(Float32Array.of(1))]).toEqual(meaning(GELU, [1]));
  });

  it("says which file it did not find", async () => {
    written(GELU, { name: "lost" });
    writeFileSync(join(FOLDER, "lost.js"), contentOf(emit(GELU)[1] as EmittedFile));
    await expect((await imported("lost")).load()).rejects.toThrow("lut_gelu.wasm");
  });
});

describe("a loaded kernel of rows", () => {
  /** (x - the row's largest) gamma. */
  function scaled(): Kernel {
    const build = new KernelBuilder();
    const x = build.param("x", "element");
    const difference = build.binary("sub", x, build.reduce("max", x));
    const y = build.binary("mul", difference, build.param("gamma", "column"));
    const spec = { fn: "scaled", domain: { lo: -1e6, hi: 1e6 }, input: BINARY32, output: BINARY32 };
    return build.finish(spec, y);
  }

  const kernel = scaled();
  const meant = (x: Float32Array, gamma: Float32Array): number[] =>
    Array.from(interpret(kernel, { x, gamma }, x.length / gamma.length, gamma.length)[0] as Float64Array);
  const numbers = (count: number): Float32Array =>
    Float32Array.from({ length: count }, (_, i) => ((i * 37) % 101) - 50);
  let rows: Loaded;
  beforeAll(async () => {
    written(kernel, { name: "scaled" });
    rows = await (await imported("scaled")).load();
  });

  it.each([
    [1, 1],
    [3, 7],
    [0, 5],
    [700, 100],
    [2, 30_001],
    [5, 16_384],
  ])("answers %i rows of %i", (count, columns) => {
    const [x, gamma] = [numbers(count * columns), numbers(columns)];
    expect([...rows(x, gamma, columns)]).toEqual(meant(x, gamma));
    const y = new Float32Array(x.length);
    expect(rows(x, gamma, columns, y)).toBe(y);
    expect([...rows(x, gamma, columns, x)]).toEqual([...y]);
  });

  it("works in place on its own arrays, mixed with those from elsewhere", () => {
    const own = rows.buffers(40, 50_000) as Record<"x" | "gamma" | "y", Float32Array>;
    own.x.set(numbers(own.x.length));
    own.gamma.set(numbers(50_000));
    const answers = meant(own.x, own.gamma);
    expect([...rows(own.x, own.gamma, 50_000, own.y)]).toEqual(answers);
    expect([...rows(own.x, numbers(50_000), 50_000)]).toEqual(answers);
    expect([...rows(own.x.slice(), own.gamma, 50_000, own.y)]).toEqual(answers);
  });

  it.each<[string, () => unknown, string]>([
    ["rows that are not whole", () => rows(numbers(7), numbers(2), 2), "x has 7 numbers, which are no rows of 2"],
    ["rows of nothing", () => rows(numbers(0), numbers(0), 0), "x has 0 numbers, which are no rows of 0"],
    ["columns that are no count", () => rows(numbers(5), numbers(2), 2.5), "which are no rows of 2.5"],
    ["buffers of a part of a column", () => rows.buffers(2, 1.5), "columns is no count: 1.5"],
    ["buffers of a part of a row", () => rows.buffers(1.5, 2), "rows is no count: 1.5"],
    ["buffers of less than nothing", () => rows.buffers(-1, -1), "rows is no count: -1"],
    ["too few factors", () => rows(numbers(6), numbers(2), 3), "gamma has 2 numbers, 3 are needed"],
  ])("refuses %s", (_what, run, message) => expect(run).toThrow(message));

  /** x - the row's sum. */
  const centred = (lane: "i32" | "f32"): Kernel => {
    const build = new KernelBuilder();
    const x = build.param("x", "element", lane, lane === "i32" ? [-100, 100] : undefined);
    const y = build.binary("sub", x, build.reduce("add", x));
    const spec = { fn: "x", domain: { lo: -1e6, hi: 1e6 }, input: BINARY32, output: BINARY32, maxRow: 4 };
    return build.finish(spec, y);
  };

  it("refuses rows longer than sums of integers are proven for", async () => {
    const short = await loaded("centred_codes", centred("i32"));
    expect([...short(Int32Array.of(1, 2, 3, 4), 4)]).toEqual([-9, -8, -7, -6]);
    expect(() => short(new Int32Array(5), 5)).toThrow("x has 5 numbers, which are no rows of 5 of at most 4");
  });

  it("takes longer rows than the spec's longest where floats are summed: their sums need no proof", async () => {
    const floats = await loaded("centred_floats", centred("f32"));
    expect([...floats(Float32Array.of(1, 1, 1, 1, 1), 5)]).toEqual([-4, -4, -4, -4, -4]);
  });

  async function loaded(name: string, of: Kernel): Promise<Loaded> {
    written(of, { name });
    return (await imported(name)).load();
  }
});

describe("no loader is written for", () => {
  it("several results", () => {
    const build = new KernelBuilder();
    const x = build.codes("x", "element", parseFormat("int8"));
    const spec = { fn: "x", domain: { lo: -128, hi: 127 }, input: parseFormat("int8"), output: parseFormat("int8") };
    expect(() => emit(build.finish(spec, x, x))).toThrow("kernels with one result per element of an input");
  });

  it("no form at all", () => {
    expect(() => emit(GELU, { forms: [] })).toThrow(RangeError);
  });
});

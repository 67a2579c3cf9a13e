// lutra emit as a user calls it: which files it writes, what their first lines say, and what it refuses without a trace.
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { pathToFileURL } from "node:url";
import { beforeAll, describe, expect, test } from "vitest";
import { lutra, lutraFails, lutraJson, temporaryFolder } from "./lutra.ts";

const folder = temporaryFolder();
const path = folder.path;

interface Emitted {
  readonly files: readonly string[];
  readonly certificate: {
    readonly kernelHash: string;
    readonly absolute: { readonly upper: number; readonly lower: number; readonly at: number };
  };
}

async function writeTable(...args: readonly string[]): Promise<void> {
  expect((await lutra(["fit", ...args], { cwd: path() })).code).toBe(0);
}

beforeAll(async () => {
  const float = ["--in", "binary32", "--norm", "relative", "--segments", "8"];
  await writeTable("gelu", "--in", "binary32", "--segments", "8", "-o", "gelu.json");
  await writeTable("gelu", "--in", "binary32", "--segments", "4", "-o", "small.json");
  await writeTable("tanh", "--in", "bfloat16", "--segments", "8", "-o", "bfloat16.json");
  for (const fn of ["exp", "reciprocal", "rsqrt"]) await writeTable(fn, ...float, "-o", `${fn}.json`);
});

const TARGETS: readonly (readonly [target: string, names: readonly string[]])[] = [
  ["c", ["lut_gelu.c", "lut_gelu.h"]],
  ["typescript", ["lut_gelu.ts"]],
  ["wasm", ["lut_gelu.d.ts", "lut_gelu.js", "lut_gelu.wasm"]],
];

/** The first lines of a file of text, or those that a module has about itself. */
async function linesOf(file: string): Promise<readonly string[]> {
  const bytes = Uint8Array.from(await readFile(path(file)));
  if (!file.endsWith(".wasm")) return new TextDecoder().decode(bytes).split("\n");
  const [section] = WebAssembly.Module.customSections(new WebAssembly.Module(bytes), "lutra");
  return new TextDecoder()
    .decode(section)
    .split("\n")
    .map((line) => `// ${line}`);
}

/** Both rounded so that what is said stays true. */
function expectBounds(line: string, { absolute: { upper, lower } }: Emitted["certificate"]): void {
  const found = /error at most (\S+), attained (\S+) at /.exec(line) ?? [];
  const [most, attained] = found.slice(1).map(Number);
  expect([most, attained]).toEqual([expect.closeTo(upper, 7), expect.closeTo(lower, 7)]);
  expect([(most as number) >= upper, (attained as number) <= lower]).toEqual([true, true]);
}

test.each(TARGETS)("writes %s with what is proven at its top", async (target, names) => {
  const args = ["emit", "gelu.json", "--target", target, "-o", `new/${target}`];
  const { files, certificate } = await lutraJson<Emitted>(args, { cwd: path() });
  expect([...files].sort()).toEqual(names.map((name) => `new/${target}/${name}`));
  expect((await readdir(path(`new/${target}`))).sort()).toEqual(names);
  for (const file of files) {
    const [about, , error, , made, hash] = await linesOf(file);
    expect(about).toBe("// gelu, binary32 to binary32. Made by lutra: change its source, not this file.");
    expectBounds(error as string, certificate);
    expect(Math.fround(Number(/ at x = (.*)$/.exec(error as string)?.[1]))).toBe(certificate.absolute.at);
    expect(made).toBe(`// made by: lutra emit gelu.json --target ${target}`);
    expect(hash).toBe(`// kernel ${certificate.kernelHash}`);
  }
});

test("writes a loader that answers, of several forms if asked", async () => {
  const args = ["emit", "gelu.json", "--target", "wasm", "--form", "relaxed,scalar", "--name", "act", "-o", "forms"];
  expect((await lutra(args, { cwd: path() })).code).toBe(0);
  expect((await readdir(path("forms"))).sort()).toEqual(["act.d.ts", "act.js", "act.relaxed.wasm", "act.scalar.wasm"]);
  const { load } = (await import(/* @vite-ignore */ pathToFileURL(path("forms/act.js")).href)) as {
    load(): Promise<(x: Float32Array) => Float32Array>;
  };
  const [y] = (await load())(Float32Array.of(3));
  expect(y).toBeCloseTo(2.996, 1);
  const made = "// made by: lutra emit gelu.json --name act --target wasm --form relaxed,scalar";
  expect(await linesOf("forms/act.js")).toContain(made);
});

describe("a layer of a row", () => {
  test("is made of its tables, with its own proof", async () => {
    const layer = ["--layer", "softmax", "--max-row", "64"];
    const args = ["emit", "reciprocal.json", "exp.json", ...layer, "--target", "c", "-o", "layers"];
    const { files, certificate } = await lutraJson<Emitted>(args, { cwd: path() });
    expect(files).toEqual(["layers/lut_softmax.h", "layers/lut_softmax.c"]);
    const lines = (await linesOf("layers/lut_softmax.c")).slice(0, 7);
    expect(lines[1]).toBe("// Rows of at most 64 numbers.");
    expect(lines[2]).toContain("composed, over rows of 1 to 64 binary32 values");
    expectBounds(lines[3] as string, certificate);
    expect(lines[5]).toBe("// made by: lutra emit reciprocal.json exp.json --layer softmax --max-row 64 --target c");
  });

  test("may scale and shift its columns", async () => {
    const layer = ["--layer", "layer-norm", "--max-row", "64", "--epsilon", "1e-5", "--gamma", "--beta"];
    const args = ["emit", "rsqrt.json", ...layer, "--target", "typescript", "-o", "layers"];
    expect((await lutra(args, { cwd: path() })).code).toBe(0);
    const text = await readFile(path("layers/lut_layer_norm.ts"), "utf8");
    expect(text).toContain("gamma: Float32Array,\n  beta: Float32Array,\n  rows: number,");
    expect(text).toContain("--epsilon 0.00001 --gamma --beta");
  });

  test("of codes needs no table file, and says what is known of its tables", async () => {
    const args = ["emit", "--layer", "softmax", "--in", "s8.4", "--max-row", "64", "--target", "wasm", "-o", "codes"];
    const { certificate } = await lutraJson<{ readonly certificate: null }>(args, { cwd: path() });
    expect(certificate).toBeNull();
    const lines = await linesOf("codes/lut_softmax.wasm");
    expect(lines[0]).toContain("softmax, s8.4 to u8.8");
    expect(lines[2]).toBe("// no bound of the whole is proven; of its tables:");
    expect(lines[3]).toMatch(/exp-high, exp\(-x\): error at most 0\.0000305\d+, attained \S+ at x = 0$/);
    const { load } = (await import(/* @vite-ignore */ pathToFileURL(path("codes/lut_softmax.js")).href)) as {
      load(): Promise<(x: Int8Array, columns: number) => Uint8Array>;
    };
    const softmax = await load();
    expect([...softmax(Int8Array.of(16, 16, 16, 16, 0, 0, -128, 127), 4)]).toEqual([64, 64, 64, 64, 0, 0, 0, 255]);
    expect(() => softmax(new Int8Array(65), 65)).toThrow("x has 65 numbers, which are no rows of 65 of at most 64");
    expect(() => softmax(new Int8Array(6), 4)).toThrow("x has 6 numbers, which are no rows of 4");
  });

  test("of codes is refused for formats that it does not take", async () => {
    const args = ["emit", "--layer", "softmax", "--in", "s16.4", "--max-row", "64", "--target", "c", "-o", "none"];
    const stderr = await lutraFails(args, { cwd: path() });
    expect(stderr).toContain("Softmax of codes cannot take s16.4\n  at:   --in s16.4\n  note: its inputs are integers");
  });

  test.each([
    ["a table that is missing", ["exp.json"], 'softmax needs a table of reciprocal for its hole "reciprocal"'],
    [
      "a table that it has no use for",
      ["exp.json", "reciprocal.json", "gelu.json"],
      '"gelu.json" is a table of gelu, which softmax has no use for',
    ],
    [
      "two tables of one function",
      ["exp.json", "reciprocal.json", "exp.json"],
      '"exp.json" and "exp.json" are both tables of exp, softmax takes one',
    ],
  ])("refuses %s and names its holes", async (_what, tables, message) => {
    const args = ["emit", ...tables, "--layer", "softmax", "--max-row", "64", "--target", "c", "-o", "none"];
    const stderr = await lutraFails(args, { cwd: path() });
    expect(stderr).toContain(message);
    expect(stderr).toContain("its holes: exp, reciprocal");
    expect(await readdir(path())).not.toContain("none");
  });

  test.each([
    [["exp.json", "reciprocal.json"], "several tables make a layer: give --layer"],
    [["exp.json", "--layer", "softmax"], "--layer and --max-row go together"],
    [
      ["exp.json", "--layer", "max", "--max-row", "9"],
      "Allowed choices are softmax, log-softmax, layer-norm, rms-norm",
    ],
    [["rsqrt.json", "--layer", "rms-norm", "--max-row", "9"], "--layer rms-norm needs --epsilon"],
    [["gelu.json", "--epsilon", "1"], "--epsilon goes with --layer layer-norm and rms-norm"],
    [["exp.json", "--layer", "softmax", "--max-row", "9", "--gamma"], "--gamma and --beta go with a norm"],
    [["--layer", "softmax", "--max-row", "9"], "give table files, or --layer softmax --in FORMAT"],
    [["exp.json", "--layer", "softmax", "--in", "s8.4", "--max-row", "9"], "takes no table files"],
    [["--layer", "softmax", "--in", "s8.4", "--max-row", "65537"], "a row of codes has at most 65536"],
    [["--layer", "log-softmax", "--in", "s8.4", "--max-row", "9"], "--in goes with --layer softmax"],
    [["gelu.json", "--form", "simd"], "--form goes with --target wasm"],
    [["gelu.json", "--form", "fast", "--target", "wasm"], '"fast" is none of scalar, simd, relaxed'],
    [["gelu.json", "--name", "../gelu"], "is not a letter followed by letters, digits and underscores"],
  ])("is asked for by options that go together: %j", async (args, message) => {
    const target = args.includes("--target") ? [] : ["--target", "c"];
    const { code, stderr } = await lutra(["emit", ...args, ...target, "-o", "none"], { cwd: path() });
    expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
  });
});

test("leaves other files of the folder alone, a folder of tables among them", async () => {
  await mkdir(path("src/tables"), { recursive: true });
  await writeFile(path("src/mine.c"), "mine");
  const { code, stdout } = await lutra(["emit", "gelu.json", "--target", "c", "-o", "src"], { cwd: path() });
  expect([code, stdout]).toEqual([0, "src/lut_gelu.h\nsrc/lut_gelu.c\n"]);
  expect((await readdir(path("src"))).sort()).toEqual(["lut_gelu.c", "lut_gelu.h", "mine.c", "tables"]);
});

test("writes over its own files what they say already, and over others only if told to", async () => {
  const emit = (file: string, ...more: string[]): string[] => ["emit", file, "--target", "wasm", "-o", "over", ...more];
  for (let i = 0; i < 2; i++) expect((await lutra(emit("gelu.json"), { cwd: path() })).code).toBe(0);
  const before = await readFile(path("over/lut_gelu.wasm"));
  const stderr = await lutraFails(emit("small.json"), { cwd: path() });
  expect(stderr).toContain('"over/lut_gelu.wasm" is there already and is not what would be written');
  expect(stderr).toContain("--force writes over it, --name and -o choose another place");
  expect(await readFile(path("over/lut_gelu.wasm"))).toEqual(before);
  expect((await lutra(emit("small.json", "--name", "small"), { cwd: path() })).code).toBe(0);
  expect((await readdir(path("over"))).length).toBe(6);
  expect((await lutra(emit("small.json", "--force"), { cwd: path() })).code).toBe(0);
  expect(await readFile(path("over/lut_gelu.wasm"))).not.toEqual(before);
});

test.each([[], ["--force"]])("does not take a folder's place %s", async (...force: readonly string[]) => {
  await mkdir(path("full/lut_gelu.ts"), { recursive: true });
  await writeFile(path("full/lut_gelu.ts/precious"), "mine");
  const args = ["emit", "gelu.json", "--target", "typescript", "-o", "full", ...force];
  expect(await lutraFails(args, { cwd: path() })).toContain(
    '"full/lut_gelu.ts" is a folder, a file is to be written there',
  );
  expect(await readFile(path("full/lut_gelu.ts/precious"), "utf8")).toBe("mine");
});

test.each(["int", "class", "memcpy", "x"])("does not call a function %s", async (name) => {
  const args = ["emit", "gelu.json", "--target", "c", "--name", name, "-o", "none"];
  expect(await lutraFails(args, { cwd: path() })).toContain(`"${name}" is a word of C or JavaScript`);
});

test("refuses a target that it does not know", async () => {
  const { code, stderr } = await lutra(["emit", "gelu.json", "--target", "fortran", "-o", "none"], { cwd: path() });
  expect(code).toBe(2);
  expect(stderr).toContain("'fortran' is invalid. Allowed choices are c, typescript, wasm");
});

test("refuses a file in the folder's place", async () => {
  await writeFile(path("taken"), "mine");
  const stderr = await lutraFails(["emit", "gelu.json", "--target", "c", "-o", "taken"], { cwd: path() });
  expect(stderr).toContain('cannot write the folder: "taken" is a file');
  expect(await readFile(path("taken"), "utf8")).toBe("mine");
});

test.each([
  ["c", "source code is written for tables of integers and of binary32", "fit the table with --in binary32"],
  ["typescript", "source code is written for tables of integers and of binary32", "fit the table with --in binary32"],
  ["wasm", "the wasm target does not write floats of the format bfloat16", "floats are binary32"],
])("refuses a table that %s cannot express, before the folder is made", async (target, message, note) => {
  const stderr = await lutraFails(["emit", "bfloat16.json", "--target", target, "-o", "none"], { cwd: path() });
  expect(stderr).toContain(`lutra: ${message}\n  at:   bfloat16.json`);
  expect(stderr).toContain(`note: ${note}`);
  expect(await readdir(path())).not.toContain("none");
});

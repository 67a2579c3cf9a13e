// Kernels as C, TypeScript and WebAssembly say bit for bit what interpret(kernel) and evaluate(table) say: every code of integer tables, all bfloat16
// values and seeded binary32 inputs (a million; with LUTRA_FLOATS=10000000 ten million) of float tables, seeded rows of row kernels.
import { execFileSync, spawnSync } from "node:child_process";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import type { Kernel, KernelInputs } from "../../packages/lutra/src/kernel/index.ts";
import { interpret } from "../../packages/lutra/src/kernel/index.ts";
import { allCodes, BFLOAT16, codeRange, fromBits32, random } from "../../packages/lutra/src/num/index.ts";
import { describeWith, ROOT } from "../shared.ts";
import {
  compileC,
  importLoader,
  importTypeScript,
  type Numbers,
  paramsOf,
  type Run,
  type RunInto,
  temporaryFolder,
  writeC,
} from "./compiled.ts";
import { ELEMENTWISE, FLOAT_TABLES, INTEGER_KERNELS, KERNELS, ROW_KERNELS } from "./source-kernels.ts";
import { FORMS } from "./wasm/forms.ts";

const FLOATS = Number(process.env.LUTRA_FLOATS ?? 1e6);
/** Of the tables by hand and the formulas: the edges, all bfloat16 values and some of the others. */
const FEWER = 200_000;
const ROWS = 24;
const COLUMNS = 100;

/** Floats, tables of integers (by gathers) and integer arithmetic, which fits 32 bits whatever the kernel's lanes. */
const VECTORISED = [
  ...["f_gelu", "f_exp", "f_rsqrt", "r_uniform", "r_bits", "i_gelu8", "i_silu16"],
  ...["k_i_gelu", "k_i_gelu16", "w_i_softmax"],
];

const WARNINGS = ["-std=c99", "-Wall", "-Wextra", "-pedantic", "-Werror"];
/** What would change bits if the files did not forbid it: operations fused as far as each compiler does it by itself. */
const FUSING: readonly string[] = process.arch === "x64" ? ["-mfma"] : [];
const CONTRACTION: Readonly<Record<string, string>> = { gcc: "-ffp-contract=fast", clang: "-ffp-contract=on" };

/** NaN, infinities, zeros, subnormals, the ends of the normal numbers, halves. */
const EDGES = Float32Array.from([
  ...[Number.NaN, Infinity, -Infinity, 0, -0, 1e-45, -1e-45, 1.1754942106924411e-38, -1.1754942106924411e-38],
  ...[
    2 ** -126,
    -(2 ** -126),
    3.4028234663852886e38,
    -3.4028234663852886e38,
    1,
    -1,
    2,
    4,
    0.5,
    -0.5,
    1.5,
    -1.5,
    88.7,
    -104,
  ],
]);

/** Half of them any bits, half where functions bend. */
function floatInputs(count: number): Float32Array {
  const source = random(11);
  const seeded = Float32Array.from({ length: count }, (_, i) =>
    i % 2 === 0 ? fromBits32(source.below(2 ** 32)) : 3 * source.normal(),
  );
  const half = allCodes(BFLOAT16);
  const x = new Float32Array(EDGES.length + half.length + count);
  x.set(EDGES);
  x.set(half, EDGES.length);
  x.set(seeded, EDGES.length + half.length);
  return x;
}

function inputsOf(kernel: Kernel): { readonly inputs: KernelInputs; readonly rows: number; readonly columns: number } {
  const { input } = kernel.spec;
  if (Object.values(ROW_KERNELS).includes(kernel)) return rowInputs(kernel);
  if (input.kind === "float") {
    const x = Object.values(FLOAT_TABLES).includes(kernel) ? floats() : floats().subarray(0, FEWER);
    return { inputs: { x }, rows: 1, columns: x.length };
  }
  const x = allCodes(input);
  return { inputs: { x }, rows: 1, columns: x.length };
}

let shared: Float32Array | null = null;
function floats(): Float32Array {
  shared ??= floatInputs(FLOATS);
  return shared;
}

function rowInputs(kernel: Kernel): { readonly inputs: KernelInputs; readonly rows: number; readonly columns: number } {
  const source = random(12);
  const { input } = kernel.spec;
  const number = (): number => {
    if (input.kind === "float") return Math.fround(4 * source.normal());
    const { lo, hi } = codeRange(input);
    return Math.min(hi, Math.max(lo, Math.round((hi / 3) * source.normal())));
  };
  const sizes = { one: 1, row: ROWS, column: COLUMNS, element: ROWS * COLUMNS } as const;
  const inputs = paramsOf(kernel).map(
    ({ name, over }) => [name, Float64Array.from({ length: sizes[over] }, number)] as const,
  );
  if (input.kind === "float") inputs[0]?.[1].set(EDGES.filter(Number.isFinite), 0);
  if (input.kind === "float") inputs[0]?.[1].set([Number.NaN], 3 * COLUMNS);
  if (input.kind === "float") inputs[0]?.[1].fill(-Infinity, 5 * COLUMNS, 6 * COLUMNS - 1);
  return { inputs: Object.fromEntries(inputs), rows: ROWS, columns: COLUMNS };
}

const meanings = new Map<Kernel, Float64Array>();

/** What a kernel means for its inputs, in parts: interpret holds all values of a part at once. */
function meaning(kernel: Kernel): Float64Array {
  const known = meanings.get(kernel);
  if (known !== undefined) return known;
  const { inputs, rows, columns } = inputsOf(kernel);
  const answers = new Float64Array(rows * columns);
  if (rows > 1) answers.set(interpret(kernel, inputs, rows, columns)[0] as Float64Array);
  for (let from = 0; rows === 1 && from < columns; from += PART) {
    const x = (inputs.x as Float64Array).subarray(from, from + PART);
    answers.set(interpret(kernel, { x }, 1, x.length)[0] as Float64Array, from);
  }
  meanings.set(kernel, answers);
  return answers;
}

const PART = 2 ** 16;

function expectSame(name: string, run: Run): void {
  const kernel = KERNELS[name] as Kernel;
  const { inputs, rows, columns } = inputsOf(kernel);
  expectBits(run(name, inputs, rows, columns), kernel);
}

function expectBits(answers: Numbers, kernel: Kernel): void {
  const meant = meaning(kernel);
  expect(answers.length).toBe(meant.length);
  const wrong: unknown[] = [];
  for (let i = 0; i < meant.length && wrong.length < 5; i++) {
    if (!Object.is(answers[i], meant[i])) wrong.push([i, inputsOf(kernel).inputs.x?.[i], answers[i], meant[i]]);
  }
  expect(wrong).toEqual([]);
}

describe.each(["gcc", "clang"])("compiled by %s", (compiler) => {
  describeWith({ command: compiler }, "without a warning, a kernel in C gives interpret's bits:", () => {
    const folder = temporaryFolder();
    const sources = writeC(folder, KERNELS);
    let run: Run;
    beforeAll(() => {
      run = compileC(folder, compiler, [...WARNINGS, ...FUSING, CONTRACTION[compiler] as string, "-O3"], KERNELS);
    });

    it.each(Object.keys(KERNELS))("%s", (name) => expectSame(name, run));

    it("each file compiles on its own", () => {
      for (const name of ["f_gelu", "r_nested", "i_silu16", "k_h_gelu", "w_softmax", "w_layer_norm"]) {
        const file = sources[name] as string;
        execFileSync(compiler, [...WARNINGS, "-c", file, "-o", `${file}.o`]);
      }
    });

    it.runIf(process.arch === "x64")("the loops over arrays are vectorised", () => {
      const asked = compiler === "gcc" ? "-fopt-info-vec" : "-Rpass=loop-vectorize";
      for (const name of VECTORISED) {
        const flags = ["-std=c99", "-O3", "-mavx2", asked, "-c", sources[name] as string, "-o", join(folder, "v.o")];
        const { stderr } = spawnSync(compiler, flags, { encoding: "utf8" });
        expect(stderr, name).toMatch(new RegExp(`${name}\\.c:.*vectorized`));
      }
    });

    it("integer kernels compile without registers for floats", () => {
      const files = Object.keys(INTEGER_KERNELS).map((name) => sources[name] as string);
      for (const file of files) {
        execFileSync(compiler, [...WARNINGS, "-O3", "-mgeneral-regs-only", "-c", file, "-o", `${file}.o`]);
      }
      expect(files.length).toBeGreaterThan(5);
    });
  });
});

describeWith({ command: "gcc" }, "with gcc's sanitizer, nothing undefined happens at the edges:", () => {
  const folder = temporaryFolder();
  writeC(folder, KERNELS);
  let run: Run;
  beforeAll(() => {
    const sanitize = ["-fsanitize=undefined,float-cast-overflow", "-fno-sanitize-recover=all"];
    run = compileC(folder, "gcc", [...WARNINGS, "-O1", ...sanitize], KERNELS);
  });

  it.each(Object.keys(ELEMENTWISE))("%s", (name) => {
    const { input } = (KERNELS[name] as Kernel).spec;
    const x = input.kind === "float" ? EDGES : allCodes(input);
    const [meant] = interpret(KERNELS[name] as Kernel, { x }, 1, x.length);
    expect(Array.from(run(name, { x }, 1, x.length))).toEqual(Array.from(meant as Float64Array));
  });

  it.each(Object.keys(ROW_KERNELS))("%s", (name) => expectSame(name, run));
});

describe.each(FORMS)("a WebAssembly module in the %s form, called by its loader, gives interpret's bits:", (form) => {
  const folder = join(ROOT, "out", "emitted", form);

  it.each(Object.keys(KERNELS))("%s", async (name) => {
    expectSame(name, await importLoader(folder, name, KERNELS[name] as Kernel, form));
  });
});

describe("a kernel in TypeScript gives interpret's bits:", () => {
  const folder = join(ROOT, "out", "emitted");
  let run: RunInto;
  beforeAll(async () => {
    run = await importTypeScript(folder, KERNELS);
  });

  it.each(Object.keys(KERNELS))("%s", (name) => expectSame(name, run));

  it.each(["w_softmax", "w_log_softmax", "w_layer_norm", "w_on_floats"])("%s, written over its own input", (name) => {
    const kernel = KERNELS[name] as Kernel;
    const { inputs, rows, columns } = inputsOf(kernel);
    const output = Float32Array.from(inputs.x as Float64Array);
    run(name, { ...inputs, x: output }, rows, columns, output);
    expectBits(output, kernel);
  });

  it("and its text has no type error in strict code", () => {
    const files = Object.keys(KERNELS).map((name) => join(folder, `${name}.ts`));
    const strict = ["--strict", "--noUncheckedIndexedAccess", "--noUnusedLocals", "--noEmit", "--target", "es2022"];
    const tsc = join(ROOT, "node_modules", "typescript", "bin", "tsc");
    expect(execFileSync(process.execPath, [tsc, "--ignoreConfig", ...strict, ...files], { encoding: "utf8" })).toBe("");
  });
});

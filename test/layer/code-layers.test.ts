// The layers of integer codes as C, TypeScript and WebAssembly in every form: interpret's bits, on rows that reach the ends of every lane.
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { finish } from "../../packages/lutra/src/base/index.ts";
import { solve } from "../../packages/lutra/src/fit/index.ts";
import { expand, fill, holes, interpret, type Kernel, simplify } from "../../packages/lutra/src/kernel/index.ts";
import {
  addCodes,
  layerNormCodes,
  mulCodes,
  requantize,
  requantizeResidual,
  rmsNormCodes,
} from "../../packages/lutra/src/layer/index.ts";
import { planProblem } from "../../packages/lutra/src/model/index.ts";
import { integerFormat } from "../../packages/lutra/src/num/index.ts";
import { randomInputs } from "../kernel/random-kernel.ts";
import { describeWith, ROOT } from "../shared.ts";
import { compileC, importLoader, importTypeScript, type Run, temporaryFolder, writeC } from "../target/compiled.ts";
import { FORMS } from "../target/wasm/forms.ts";

const ROWS = 7;
const COLUMNS = 77;
const int8 = integerFormat(true, 8, 1 / 28);
const uint8 = integerFormat(false, 8, 1 / 28, 120);
const int16 = integerFormat(true, 16, 2 ** -11);
const sums = integerFormat(true, 32, 1e-4);

function filled(kernel: Kernel): Kernel {
  const tables = holes(kernel).map(({ hole, spec }) => {
    const problem = planProblem(spec, { segments: 16, norm: "max" });
    return [hole, finish(solve(problem, "optimal", { seed: 1 })).table] as const;
  });
  return fill(kernel, Object.fromEntries(tables));
}

const norm = { input: int16, columns: COLUMNS, epsilon: 1e-5, beta: true };
const short = { bits: 15, before: 3, between: 15, after: 4 } as const;
const rescaled = { input: sums, rescaling: short, bias: true, multiplier: "column" } as const;

const KERNELS: Readonly<Record<string, Kernel>> = {
  c_layer_norm: filled(layerNormCodes({ ...norm, output: int8, gammaShift: 1 })),
  c_layer_norm16: filled(layerNormCodes({ ...norm, output: int16, gammaShift: -6 })),
  c_rms_norm: filled(rmsNormCodes({ ...norm, output: uint8, gammaShift: 0, beta: false })),
  c_requantize: requantize({ ...rescaled, output: int8 }),
  c_requantize31: requantize({
    ...rescaled,
    rescaling: { bits: 31, before: 5, between: 33, after: 0 },
    multiplier: "one",
    output: uint8,
  }),
  c_gelu: filled(requantize({ ...rescaled, output: uint8, activation: { fn: "gelu", input: int8 } })),
  c_residual: requantizeResidual({ ...rescaled, output: int16, residual: integerFormat(true, 16, 0.0006) }),
  c_add: addCodes({ a: int8, b: uint8, output: int8 }),
  c_mul: mulCodes({ a: int16, b: int16, output: integerFormat(true, 16, 2 ** -6) }),
};

const NAMES = Object.keys(KERNELS);

function expectSame(name: string, run: Run): void {
  const kernel = KERNELS[name] as Kernel;
  const inputs = randomInputs(kernel, ROWS, COLUMNS, 3);
  const [meant] = interpret(kernel, inputs, ROWS, COLUMNS) as [Float64Array];
  expect(Array.from(run(name, inputs, ROWS, COLUMNS))).toEqual(Array.from(meant));
}

describeWith({ command: "gcc" }, "in C, a layer of codes has interpret's bits:", () => {
  const folder = temporaryFolder();
  writeC(folder, KERNELS);
  let run: Run;
  beforeAll(() => {
    run = compileC(folder, "gcc", ["-std=c99", "-O1", "-fsanitize=undefined", "-fno-sanitize-recover=all"], KERNELS);
  });
  it.each(NAMES)("%s", (name) => expectSame(name, run));
});

describe("in TypeScript, a layer of codes has interpret's bits:", () => {
  let run: Run;
  beforeAll(async () => {
    run = await importTypeScript(join(ROOT, "out", "emitted-layers"), KERNELS);
  });
  it.each(NAMES)("%s", (name) => expectSame(name, run));
});

describe.each(FORMS)("in WebAssembly (%s), a layer of codes has interpret's bits:", (form) => {
  it.each(NAMES)("%s", async (name) => {
    const run = await importLoader(join(ROOT, "out", `emitted-layers-${form}`), name, KERNELS[name] as Kernel, form);
    expectSame(name, run);
  });
});

describe("a layer of codes", () => {
  it.each(NAMES)("%s stays the same when it is simplified or expanded", (name) => {
    const kernel = KERNELS[name] as Kernel;
    const inputs = randomInputs(kernel, ROWS, COLUMNS, 4);
    const meant = interpret(kernel, inputs, ROWS, COLUMNS);
    for (const same of [simplify(kernel), expand(kernel)]) {
      expect(interpret(same, inputs, ROWS, COLUMNS)).toEqual(meant);
    }
  });
});

// Expanded tables as C, TypeScript and WebAssembly: the bits of the table, signs of zeros, infinities and NaN included.
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { expand, interpret, type Kernel } from "../../packages/lutra/src/kernel/index.ts";
import { allCodes, BFLOAT16 } from "../../packages/lutra/src/num/index.ts";
import { describeWith, ROOT } from "../shared.ts";
import { compileC, importLoader, importTypeScript, type Run, temporaryFolder, writeC } from "../target/compiled.ts";
import { ELEMENTWISE } from "../target/source-kernels.ts";
import { FORMS } from "../target/wasm/forms.ts";

const NAMES = ["f_gelu", "f_tanh", "f_sigmoid", "r_uniform", "r_constant", "r_below", "r_single", "r_nested"].concat([
  "i_gelu8",
  "i_zero_point",
  "i_silu16",
  "i_odd",
  "i_even",
  "i_nested",
  "i_wide_even",
  "i_long_shift",
]);
const EXPANDED: Readonly<Record<string, Kernel>> = Object.fromEntries(
  NAMES.map((name) => [`x_${name}`, expand(ELEMENTWISE[name] as Kernel)]),
);

const FLOATS = Float32Array.from([0, -0, Number.NaN, Infinity, -Infinity, 1e-45, -1e-45, ...allCodes(BFLOAT16)]);

function expectSame(name: string, run: Run): void {
  const table = ELEMENTWISE[name] as Kernel;
  const { input } = table.spec;
  const x = input.kind === "float" ? FLOATS : allCodes(input);
  const [meant] = interpret(table, { x }, 1, x.length) as [Float64Array];
  const answers = run(`x_${name}`, { x }, 1, x.length);
  const wrong = meant.findIndex((y, i) => !Object.is(y, answers[i]));
  expect([wrong, x[wrong], answers[wrong]]).toEqual([-1, undefined, undefined]);
}

describeWith({ command: "gcc" }, "expanded and in C, a table gives its bits:", () => {
  const folder = temporaryFolder();
  writeC(folder, EXPANDED);
  let run: Run;
  beforeAll(() => {
    run = compileC(folder, "gcc", ["-std=c99", "-Wall", "-Wextra", "-Werror", "-O2"], EXPANDED);
  });
  it.each(NAMES)("%s", (name) => expectSame(name, run));
});

describe("expanded and in TypeScript, a table gives its bits:", () => {
  let run: Run;
  beforeAll(async () => {
    run = await importTypeScript(join(ROOT, "out", "emitted-expanded"), EXPANDED);
  });
  it.each(NAMES)("%s", (name) => expectSame(name, run));
});

describe.each(FORMS)("expanded and in WebAssembly (%s), a table gives its bits:", (form) => {
  it.each(NAMES)("%s", async (name) => {
    const folder = join(ROOT, "out", `emitted-expanded-${form}`);
    expectSame(name, await importLoader(folder, `x_${name}`, EXPANDED[`x_${name}`] as Kernel, form));
  });
});

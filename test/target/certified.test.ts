// Every function and every layer as onnxruntime runs it: within the bound its certificate proves, and with evaluate's bits.

import { describe, expect, test } from "vitest";
import { finish } from "../../packages/lutra/src/base/index.ts";
import { type Certificate, certify } from "../../packages/lutra/src/certify/index.ts";
import { solve } from "../../packages/lutra/src/fit/index.ts";
import {
  layerNorm as exactLayerNorm,
  logSoftmax as exactLogSoftmax,
  rmsNorm as exactRmsNorm,
  softmax as exactSoftmax,
  functionNames,
  parseFn,
} from "../../packages/lutra/src/fn/index.ts";
import { fill, holes, type Kernel } from "../../packages/lutra/src/kernel/index.ts";
import { elementwise, layerNorm, logSoftmax, rmsNorm, softmax } from "../../packages/lutra/src/layer/index.ts";
import { planProblem } from "../../packages/lutra/src/model/index.ts";
import {
  allCodes,
  BFLOAT16,
  BINARY32,
  fromOrdered32,
  random,
  toOrdered32,
} from "../../packages/lutra/src/num/index.ts";
import { evaluate, type Problem, type Table } from "../../packages/lutra/src/table/index.ts";
import { emit } from "../../packages/lutra/src/target/onnx/index.ts";
import { runFunction } from "./run-function.ts";

const SEEDED_FLOATS = 1_000_000;
const OPSET = 18;
const OPTIONS = { segments: 16, norm: "max" } as const;

function tableFor(problem: Problem): Table {
  return finish(solve(problem, "optimal", { seed: 1 })).table;
}

function filled(kernel: Kernel): Kernel {
  const tables = holes(kernel).map(({ hole, spec }) => [hole, tableFor(planProblem(spec, OPTIONS))] as const);
  return fill(kernel, Object.fromEntries(tables));
}

/** All bfloat16 values of the domain, half a million binary32 evenly spread over its codes, half a million around 0. */
function inputsIn({ lo, hi }: { readonly lo: number; readonly hi: number }): Float32Array {
  const source = random(5);
  const [first, last] = [toOrdered32(Math.fround(lo)), toOrdered32(Math.fround(hi))];
  const spread = Array.from({ length: SEEDED_FLOATS / 2 }, () => fromOrdered32(first + source.below(last - first)));
  const near = Array.from({ length: SEEDED_FLOATS / 2 }, () => 3 * source.normal());
  return Float32Array.from(
    [...allCodes(BFLOAT16), ...spread, ...near].filter((x) => lo <= x && x <= hi && Number.isFinite(x)),
  );
}

describe("in onnxruntime, on all bfloat16 values and a million seeded floats, within its certificate:", () => {
  for (const name of functionNames()) {
    test(name, async () => {
      const fn = parseFn(name);
      const spec = { fn: name, domain: fn.domain, input: BINARY32, output: BINARY32 };
      const problem = planProblem(spec, OPTIONS);
      const table = tableFor(problem);
      const kernel = fill(elementwise(problem.spec), { f: table });
      const certificate = finish(certify(kernel));
      const x = inputsIn(problem.spec.domain);
      const y = await runFunction(emit(kernel, { axes: [-1], opset: OPSET }), [{ data: x, shape: [x.length] }], OPSET);
      let worst = { absolute: 0, relative: 0 };
      let different = 0;
      for (let i = 0; i < x.length; i++) {
        const exact = fn.evaluate(x[i] as number);
        const error = Math.abs((y[i] as number) - exact);
        const relative = error / Math.max(Math.abs(exact), certificate.relative.floor);
        worst = { absolute: Math.max(worst.absolute, error), relative: Math.max(worst.relative, relative) };
        if (y[i] !== evaluate(table, x[i] as number)) different++;
      }
      expect(different).toBe(0);
      expect(worst.absolute).toBeLessThanOrEqual(certificate.absolute.upper);
      expect(worst.relative).toBeLessThanOrEqual(certificate.relative.upper);
      expect(certificate.absolute.upper).toBeLessThan(Infinity);
    });
  }
});

describe("a layer in onnxruntime is within its certificate on seeded rows:", () => {
  const rows = 200;
  const columns = 99;
  const epsilon = 1e-5;
  const source = random(9);
  const draw = (count: number, spread: number): Float32Array =>
    Float32Array.from({ length: count }, () => spread * source.normal());
  const gamma = draw(columns, 1);
  const beta = draw(columns, 0.3);
  const norm = { epsilon, gamma: true, beta: true, maxRow: 128 };

  async function check(
    kernel: Kernel,
    spread: number,
    exactRow: (row: Float64Array) => Float64Array,
    within: (error: number, exact: number, column: number, certificate: Certificate) => boolean,
  ): Promise<Float32Array> {
    const certificate = finish(certify(kernel));
    const x = draw(rows * columns, spread);
    const inputs = [{ data: x, shape: [rows, columns] }];
    if (kernel.values.some((value) => value.op === "param" && value.name === "gamma")) {
      inputs.push({ data: gamma, shape: [columns] }, { data: beta, shape: [columns] });
    }
    const y = await runFunction(emit(kernel, { axes: [-1], opset: OPSET }), inputs, OPSET);
    let outside = 0;
    for (let r = 0; r < rows; r++) {
      const exact = exactRow(Float64Array.from(x.subarray(r * columns, (r + 1) * columns)));
      exact.forEach((value, c) => {
        if (!within(Math.abs((y[r * columns + c] as number) - value), value, c, certificate)) outside++;
      });
    }
    expect(outside).toBe(0);
    return y;
  }

  const absolute = (error: number, _exact: number, _column: number, certificate: Certificate): boolean =>
    error <= certificate.absolute.upper;

  for (const spread of [0.1, 3, 40]) {
    test(`softmax, spread ${spread}`, async () => {
      const p = await check(filled(softmax(128)), spread, exactSoftmax, absolute);
      expect(Math.max(...p)).toBeLessThanOrEqual(1);
    });
    test(`log-softmax, spread ${spread}`, async () => {
      await check(filled(logSoftmax(128)), spread, exactLogSoftmax, absolute);
    });
    const perColumn = (error: number, exact: number, column: number, certificate: Certificate): boolean =>
      error <= certificate.relative.upper * Math.max(Math.abs(exact - (beta[column] as number)), 1e-3) + 1e-6;
    test(`layer-norm, spread ${spread}`, async () => {
      await check(
        filled(layerNorm(norm)),
        spread,
        (row) => exactLayerNorm(row, gamma, beta, Math.fround(epsilon)),
        perColumn,
      );
    });
    test(`rms-norm, spread ${spread}`, async () => {
      const kernel = filled(rmsNorm(norm));
      await check(
        kernel,
        spread,
        (row) => exactRmsNorm(row, gamma, Math.fround(epsilon)).map((y, c) => y + (beta[c] as number)),
        perColumn,
      );
    });
  }
});

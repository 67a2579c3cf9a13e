// Every function and every layer as onnxruntime runs it: within the bound its certificate proves, and with evaluate's bits.

import { describe, expect, test } from "vitest";
import { finish } from "../../packages/lutra/src/base/index.ts";
import { certify } from "../../packages/lutra/src/certify/index.ts";
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
  MAX_BINARY32,
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

/** All bfloat16 values of the domain, and a million binary32 in it: half evenly spread over its codes, half around 0 where it has them. */
function inputsIn({ lo, hi }: { readonly lo: number; readonly hi: number }): Float32Array {
  const source = random(5);
  const [first, last] = [toOrdered32(Math.max(lo, -MAX_BINARY32)), toOrdered32(Math.min(hi, MAX_BINARY32))];
  const isInside = (x: number): boolean => lo <= x && x <= hi;
  const spread = (): number => fromOrdered32(first + source.below(last - first + 1));
  const near = (): number => {
    const x = Math.fround(3 * source.normal());
    return isInside(x) ? x : spread();
  };
  const seeded = Array.from({ length: SEEDED_FLOATS }, (_, i) => (i % 2 === 0 ? spread() : near()));
  return Float32Array.from([...allCodes(BFLOAT16).filter(isInside), ...seeded]);
}

describe("in onnxruntime, on all bfloat16 values and a million seeded floats of its domain, within its certificate:", () => {
  for (const name of functionNames()) {
    test(name, async () => {
      const fn = parseFn(name);
      const spec = { fn: name, domain: fn.domain, input: BINARY32, output: BINARY32 };
      const problem = planProblem(spec, OPTIONS);
      const table = tableFor(problem);
      const kernel = fill(elementwise(problem.spec), { f: table });
      const certificate = finish(certify(kernel));
      const x = inputsIn(problem.spec.domain);
      expect(x.length).toBeGreaterThan(SEEDED_FLOATS);
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

describe("a layer in onnxruntime is within its certificate on 200 seeded rows (gamma 1, beta 0, as the certificates of norms say):", () => {
  const rows = 200;
  const columns = 99;
  const epsilon = Math.fround(1e-5);
  const norm = { epsilon, gamma: true, beta: true, maxRow: 128 };
  const layers: Readonly<Record<string, readonly [Kernel, (row: Float64Array) => Float64Array]>> = {
    softmax: [filled(softmax(128)), exactSoftmax],
    "log-softmax": [filled(logSoftmax(128)), exactLogSoftmax],
    "layer-norm": [filled(layerNorm(norm)), (row) => exactLayerNorm(row, null, null, epsilon)],
    "rms-norm": [filled(rmsNorm(norm)), (row) => exactRmsNorm(row, null, epsilon)],
  };
  const ones = { data: new Float32Array(columns).fill(1), shape: [columns] };
  const zeros = { data: new Float32Array(columns), shape: [columns] };
  for (const [name, [kernel, exactRow]] of Object.entries(layers)) {
    test.each([0.1, 3, 40])(`${name}, spread %d`, async (spread) => {
      const certificate = finish(certify(kernel));
      const source = random(9);
      const x = Float32Array.from({ length: rows * columns }, () => spread * source.normal());
      const inputs = [{ data: x, shape: [rows, columns] }, ...(name.endsWith("norm") ? [ones, zeros] : [])];
      const y = await runFunction(emit(kernel, { axes: [-1], opset: OPSET }), inputs, OPSET);
      let worst = 0;
      for (let r = 0; r < rows; r++) {
        const exact = exactRow(Float64Array.from(x.subarray(r * columns, (r + 1) * columns)));
        for (const [c, value] of exact.entries())
          worst = Math.max(worst, Math.abs((y[r * columns + c] as number) - value));
      }
      expect(worst).toBeLessThanOrEqual(certificate.absolute.upper);
      expect(worst).toBeGreaterThan(0);
      if (name === "softmax") expect(Math.max(...y)).toBeLessThanOrEqual(1);
    });
  }
});

// The bounds that the TensorFlow.js drop-in states are those that certify proves, of the tables that it computes with.

import { describe, expect, it } from "vitest";
import { BOUNDS, type Bound } from "../../packages/lutra/src/adapt/tfjs/bounds.ts";
import { kernelOf } from "../../packages/lutra/src/adapt/tfjs/kernels.ts";
import { type TableName, tableOf } from "../../packages/lutra/src/adapt/tfjs/tables.ts";
import { finish } from "../../packages/lutra/src/base/index.ts";
import { type Certificate, certify, type ErrorBound } from "../../packages/lutra/src/certify/index.ts";
import { fill } from "../../packages/lutra/src/kernel/index.ts";
import { elementwise } from "../../packages/lutra/src/layer/index.ts";

/** By how much a stated bound may be above what is proven. */
const ROUNDED_UP = 1.03;

describe("the drop-in's stated bound is proven of", () => {
  for (const [name, bound] of Object.entries(BOUNDS)) {
    it(`${name}: ${bound.upper} ${bound.measure}, over ${bound.over}`, () => {
      const proven = certified(name, bound);
      expect(proven.upper).toBeLessThanOrEqual(bound.upper);
      expect(bound.upper).toBeLessThan(ROUNDED_UP * proven.upper);
      if (bound.at !== null) expect(proven.at).toBe(bound.at);
    });
  }

  it("the table behind erf's gradient: 7.7e-7 absolute, over every finite binary32 input", () => {
    const { absolute } = proofOf("erf-slope");
    expect(absolute.upper).toBeLessThan(7.7e-7);
  });
});

function certified(name: string, { measure, floor }: Bound): ErrorBound {
  if (name === "Softmax") return finish(certify(kernelOf("Softmax")))[measure];
  return proofOf(name.toLowerCase() as TableName, floor)[measure];
}

function proofOf(name: TableName, relativeFloor = 2 ** -126): Certificate {
  const table = tableOf(name);
  return finish(certify(fill(elementwise(table.spec), { f: table }), { relativeFloor }));
}

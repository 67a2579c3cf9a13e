// The moments of a run, point by point and by blocks.

import fc from "fast-check";
import { expect, test } from "vitest";
import { LeastSquares, prepare } from "../../packages/lutra/src/fit/index.ts";
import { problem } from "./problems.ts";

test("a run taken in at once has the line and the residual of one taken in point by point, wherever it begins and ends", () => {
  const { points } = prepare(problem("sin", [-6, 6], { grid: { lo: -6, hi: 6, step: 0.02 }, norm: "mse" }));
  const [together, single] = [new LeastSquares(points), new LeastSquares(points)];
  const place = fc.integer({ min: 0, max: 599 });
  fc.assert(
    fc.property(place, place, place, (a, b, c) => {
      const [from, middle, end] = [a, b, c].sort((p, q) => p - q) as [number, number, number];
      together.begin(from);
      together.extendTo(middle);
      together.extendTo(end);
      single.begin(from);
      for (let i = from; i < end; i++) single.extend();
      expect(together.slope).toBeCloseTo(single.slope, 9);
      expect(together.meanX).toBeCloseTo(single.meanX, 9);
      expect(Math.abs(together.residual - single.residual)).toBeLessThanOrEqual(1e-12 * single.residual + 1e-24);
    }),
    { seed: 8, numRuns: 300 },
  );
});

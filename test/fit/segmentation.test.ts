// The dynamic programme with and without what makes it fast, and the greedy cover under the largest-error optimum.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { finish } from "../../packages/lutra/src/base/index.ts";
import {
  bestSegmentation,
  bordersEvery,
  cover,
  LeastSquares,
  longestRun,
  type Points,
  type Programme,
  prepare,
  restBounds,
  settle,
  type Tube,
} from "../../packages/lutra/src/fit/index.ts";
import { problem } from "./problems.ts";

function programme(length: number, segments: number): Programme {
  const borders = bordersEvery(1, length);
  return { length, segments, head: null, tail: null, upper: Infinity, borders, relaxed: false, rest: null };
}

function mirrored({ codes, x, y, weights }: Points): Points {
  return { codes, x: x.map((value) => -value).reverse(), y: y.toReversed(), weights: weights.toReversed() };
}

describe.each(["gelu", "sin", "hard-swish"])("least squares on 600 points of %s", (fn) => {
  const question = problem(fn, [-6, 6], { grid: { lo: -6, hi: 6, step: 0.02 }, norm: "mse" });
  const { points } = prepare(question);
  const length = points.codes.length;
  const runs = new LeastSquares(points);

  test.each([1, 5, 12])(
    "%i segments: leaving points out never costs more, finer cells bound closer, pruning changes nothing",
    (segments) => {
      const plain = programme(length, segments);
      const exact = finish(bestSegmentation(runs, plain));
      const coarse = finish(bestSegmentation(runs, { ...plain, borders: bordersEvery(30, length) }));
      if (exact === null || coarse === null) throw new Error("no segmentation");
      const settled = settle(plain, coarse, runs);
      expect(settled.cost).toBeLessThanOrEqual(coarse.cost * (1 + 1e-12));
      expect(settled.cost).toBeGreaterThanOrEqual(exact.cost * (1 - 1e-12));
      let below = 0;
      for (const stride of [60, 20, 5, 1]) {
        const borders = bordersEvery(stride, length);
        const relaxed = finish(bestSegmentation(runs, { ...plain, borders, relaxed: true }));
        expect(relaxed?.cost).toBeLessThanOrEqual(exact.cost * (1 + 1e-9));
        const right = new LeastSquares(mirrored(points));
        const rest = finish(restBounds(right, { ...plain, borders: bordersEvery(stride, length) }));
        const bound = rest.least[Math.min(segments, rest.layers - 1)] as number;
        expect(bound).toBeLessThanOrEqual(exact.cost * (1 + 1e-9));
        expect(bound).toBeGreaterThanOrEqual(below * (1 - 1e-9));
        below = bound;
        const pruned = finish(bestSegmentation(runs, { ...plain, upper: settled.cost * (1 + 1e-9), rest }));
        expect(pruned?.starts).toEqual(exact.starts);
      }
    },
  );
});

test("a longest run is served by a line, and one point more is not (three points decide)", () => {
  const interval = fc.record({ y: fc.integer({ min: -20, max: 20 }), width: fc.integer({ min: 0, max: 12 }) });
  fc.assert(
    fc.property(fc.array(interval, { minLength: 1, maxLength: 12 }), (points) => {
      const tube = {
        x: Float64Array.from(points, (_, i) => i),
        lo: Float64Array.from(points, ({ y }) => y),
        hi: Float64Array.from(points, ({ y, width }) => y + width),
      };
      expect(longestRun(tube, 0, points.length).end).toBe(longestByTriples(tube.lo, tube.hi));
    }),
    { seed: 11, numRuns: 2000 },
  );
});

/** Helly's theorem: a line meets all vertical intervals exactly if it meets every three of them. */
function longestByTriples(lo: Float64Array, hi: Float64Array): number {
  const meets = (i: number, j: number, k: number): boolean => {
    const share = (j - i) / (k - i);
    const low = (lo[i] as number) * (1 - share) + (lo[k] as number) * share;
    const high = (hi[i] as number) * (1 - share) + (hi[k] as number) * share;
    return low <= (hi[j] as number) + 1e-9 && high >= (lo[j] as number) - 1e-9;
  };
  for (let k = 2; k < lo.length; k++) {
    for (let i = 0; i < k; i++) for (let j = i + 1; j < k; j++) if (!meets(i, j, k)) return k;
  }
  return lo.length;
}

test("a cover has the fewest runs, or is refused beyond the limit", () => {
  const x = Float64Array.from({ length: 9 }, (_, i) => i);
  const y = Float64Array.from([0, 1, 2, 3, 2, 1, 0, 5, 9]);
  const tube = { x, lo: y, hi: y };
  const longest = (t: Tube, from: number, to: number): number => longestRun(t, from, to).end;
  expect(cover(tube, longest, 0, 9, 3)).toEqual([0, 4, 7]);
  expect(cover(tube, longest, 0, 9, 2)).toBeNull();
});

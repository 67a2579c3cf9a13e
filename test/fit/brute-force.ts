// The definition of the optimum, for tiny grids: every set of breakpoints, and per segment every stored pair (or the exact real line).

export interface Points {
  readonly x: readonly number[];
  readonly y: readonly number[];
}

/** Least cost of covering points [from, to) with one line. */
export type SegmentCost = (points: Points, from: number, to: number) => number;

/** The least over all ways to cut into `segments` runs of the combined costs. */
export function bestCut(
  points: Points,
  segments: number,
  cost: SegmentCost,
  combine: (a: number, b: number) => number,
): number {
  const n = points.x.length;
  const search = (from: number, left: number): number => {
    if (left === 1) return cost(points, from, n);
    let best = Infinity;
    for (let to = from + 1; to <= n - left + 1; to++) {
      best = Math.min(best, combine(cost(points, from, to), search(to, left - 1)));
    }
    return best;
  };
  return search(0, segments);
}

/** Sum of squares of the least-squares line, from the normal equations. */
export function leastSquares({ x, y }: Points, from: number, to: number): number {
  const n = to - from;
  const xs = x.slice(from, to);
  const ys = y.slice(from, to);
  const meanX = xs.reduce((a, b) => a + b, 0) / n;
  const meanY = ys.reduce((a, b) => a + b, 0) / n;
  const sxx = xs.reduce((sum, value) => sum + (value - meanX) ** 2, 0);
  const sxy = xs.reduce((sum, value, i) => sum + (value - meanX) * ((ys[i] as number) - meanY), 0);
  const slope = sxx === 0 ? 0 : sxy / sxx;
  return xs.reduce((sum, value, i) => sum + ((ys[i] as number) - meanY - slope * (value - meanX)) ** 2, 0);
}

/** Largest error of the best real line: the largest levelled error of any three points (Haar condition). */
export function minimax({ x, y }: Points, from: number, to: number): number {
  let worst = 0;
  for (let i = from; i < to; i++) {
    for (let j = i + 1; j < to; j++) {
      for (let k = j + 1; k < to; k++) {
        const share = ((x[j] as number) - (x[i] as number)) / ((x[k] as number) - (x[i] as number));
        const chord = (1 - share) * (y[i] as number) + share * (y[k] as number);
        worst = Math.max(worst, Math.abs(chord - (y[j] as number)) / 2);
      }
    }
  }
  return worst;
}

/** Cost of the best of all pairs k / 2^fraction, |k| < 2^(bits - 1) or the least, by trying them all. */
export function storedPairs(
  bits: number,
  fraction: number,
  measure: (errors: readonly number[]) => number,
): SegmentCost {
  const values = Array.from({ length: 2 ** bits }, (_, k) => (k - 2 ** (bits - 1)) * 2 ** -fraction);
  return ({ x, y }, from, to) => {
    let best = Infinity;
    for (const slope of values) {
      for (const intercept of values) {
        const errors = x.slice(from, to).map((value, i) => slope * value + intercept - (y[from + i] as number));
        best = Math.min(best, measure(errors));
      }
    }
    return best;
  };
}

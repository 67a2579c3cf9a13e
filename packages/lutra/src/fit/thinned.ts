// Fewer points that tell as much: half of them evenly among all, half where the function bends, by the weight that errors have there.

import type { Points } from "./points.ts";

/** About `count` indices, ascending, the first and the last point among them; all if there are no more. */
export function thinned(points: Points, count: number): number[] {
  const n = points.codes.length;
  if (n <= count) return Array.from({ length: n }, (_, i) => i);
  const bends = bendsOf(points);
  const total = bends.reduce((sum, bend) => sum + bend, 0);
  const share = (i: number): number => 0.5 / n + (total > 0 ? (0.5 * (bends[i] as number)) / total : 0.5 / n);
  const chosen = [0];
  let passed = 0;
  for (let i = 1; i < n - 1; i++) {
    passed += share(i);
    if (passed * count < chosen.length) continue;
    chosen.push(i);
    // A kink passes several shares at once.
    passed = Math.min(passed, chosen.length / count);
  }
  return [...chosen, n - 1];
}

/** At each point: sqrt(weight |f''|) dx, to which the best density of breakpoints for a largest error is proportional. */
function bendsOf({ x, y, weights }: Points): Float64Array {
  return x.map((at, i) => {
    if (i === 0 || i === x.length - 1) return 0;
    const [left, right] = [at - (x[i - 1] as number), (x[i + 1] as number) - at];
    const [before, here, after] = [y[i - 1] as number, y[i] as number, y[i + 1] as number];
    const second = (2 * ((after - here) / right - (here - before) / left)) / (left + right);
    return (Math.sqrt(Math.abs(second) * (weights[i] as number)) * (left + right)) / 2;
  });
}

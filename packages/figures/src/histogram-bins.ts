// A histogram brought onto the pixels of an axis: the share of all inputs in each of a number of equally wide bars.

import { type Histogram, massBetween } from "lutra";
import type { Scale } from "./scale.ts";

interface Bar {
  readonly lo: number;
  readonly hi: number;
  /** Of all inputs, those outside the axis too. */
  readonly share: number;
}

export interface Bars {
  readonly bars: readonly Bar[];
  readonly largest: number;
  /** Share of the inputs that lie beyond the axis. */
  readonly outside: number;
}

/** Of the axis's length. */
const END_MARGIN = 1e-6;

export function binsOn(scale: Scale, histogram: Histogram, count: number): Bars {
  const start = scale.at(scale.lo);
  const width = (scale.at(scale.hi) - start) / count;
  // Recorded bins end at neighbouring floats: what lies on the axis's very end must not count as beyond it.
  const margin = (scale.hi - scale.lo) * END_MARGIN;
  const bars = Array.from({ length: count }, (_, i) => {
    const lo = i === 0 ? scale.lo - margin : scale.from(start + i * width);
    const hi = i === count - 1 ? scale.hi + margin : scale.from(start + (i + 1) * width);
    return { lo, hi, share: massBetween(histogram, lo, hi) };
  });
  const inside = bars.reduce((sum, bar) => sum + bar.share, 0);
  return { bars, largest: Math.max(...bars.map((bar) => bar.share)), outside: Math.max(0, 1 - inside) };
}

// A histogram brought onto the pixels of an axis: the share of all inputs in each of a number of equally wide bars.

import { type Histogram, massBetween } from "lutra";
import type { Scale } from "./scale.ts";

export interface Bar {
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

export function binsOn(scale: Scale, histogram: Histogram, count: number): Bars {
  const start = scale.at(scale.lo);
  const width = (scale.at(scale.hi) - start) / count;
  const bars = Array.from({ length: count }, (_, i) => {
    const lo = i === 0 ? scale.lo : scale.from(start + i * width);
    const hi = i === count - 1 ? scale.hi : scale.from(start + (i + 1) * width);
    return { lo, hi, share: massBetween(histogram, lo, hi) };
  });
  const inside = bars.reduce((sum, bar) => sum + bar.share, 0);
  return { bars, largest: Math.max(...bars.map((bar) => bar.share)), outside: Math.max(0, 1 - inside) };
}

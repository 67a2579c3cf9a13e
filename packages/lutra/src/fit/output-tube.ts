// Which line values are delivered within an error: for coarse outputs, all that round (or saturate) to a code within it.

import { codeRange, type Format, type IntegerFormat, type Interval, ulpOf } from "../num/index.ts";
import type { Problem } from "../table/index.ts";
import type { Points } from "./points.ts";
import type { Tube } from "./tube.ts";

/** Whether rounding to the output format is part of the question. Not for binary32, where it is as fine as the arithmetic. */
export function roundsOutput(output: Format): boolean {
  return output.kind === "integer" || output.name !== "binary32";
}

/** Saturated codes serve lines this many output steps beyond the range: as good as without end, and finite. */
const BEYOND: number = 2 ** 20;
/** Kept off the rounding boundaries, in output steps, so that stored lines stay inside. */
const MARGIN: number = 2 ** -30;

/** The line values that are delivered as y, which the output format must have. */
export function outputsRoundingTo(output: Format, y: number): Interval {
  const [lo, hi] = [new Float64Array(1), new Float64Array(1)];
  if (output.kind === "integer") roundedToCode(output, y, 0, lo, hi, 0);
  else roundedToFloat(output, y, 0, lo, hi, 0);
  return { lo: lo[0] as number, hi: hi[0] as number };
}

interface TubeQuestion {
  readonly points: Points;
  readonly problem: Problem;
  readonly zero: Interval | null;
}

/** The tube of an error, pinned where the answer at 0 is kept, in one pair of buffers that the next call reuses. */
export function tubeOf({ points, problem, zero }: TubeQuestion): (error: number) => Tube {
  const { output } = problem.spec;
  const pinned = zero === null ? -1 : points.x.indexOf(0);
  const n = points.codes.length;
  const lo = new Float64Array(n);
  const hi = new Float64Array(n);
  const tube: Tube = { x: points.x, lo, hi };
  return (error) => {
    for (let i = 0; i < n; i++) {
      const radius = error / (points.weights[i] as number);
      const y = points.y[i] as number;
      if (output.kind === "integer") roundedToCode(output, y, radius, lo, hi, i);
      else if (output.name !== "binary32") roundedToFloat(output, y, radius, lo, hi, i);
      else {
        lo[i] = y - radius;
        hi[i] = y + radius;
      }
    }
    if (zero !== null) {
      lo[pinned] = zero.lo;
      hi[pinned] = zero.hi;
    }
    return tube;
  };
}

/** Codes c with |value(c) - y| <= radius come from lines between c - 1/2 and c + 1/2. Empty (lo > hi) if there is no such code. */
function roundedToCode(
  format: IntegerFormat,
  y: number,
  radius: number,
  lo: Float64Array,
  hi: Float64Array,
  i: number,
): void {
  const { lo: first, hi: last } = codeRange(format);
  const { scale, zeroPoint } = format;
  const least = Math.max(first, Math.ceil((y - radius) / scale + zeroPoint - MARGIN));
  const greatest = Math.min(last, Math.floor((y + radius) / scale + zeroPoint + MARGIN));
  const bottom = least === first ? greatest - BEYOND : least - 0.5 + MARGIN;
  const top = greatest === last ? least + BEYOND : greatest + 0.5 - MARGIN;
  lo[i] = least > greatest ? 1 : (bottom - zeroPoint) * scale;
  hi[i] = least > greatest ? 0 : (top - zeroPoint) * scale;
}

function roundedToFloat(
  format: Format,
  y: number,
  radius: number,
  lo: Float64Array,
  hi: Float64Array,
  i: number,
): void {
  const stepBelow = ulpOf(format, y - radius);
  const stepAbove = ulpOf(format, y + radius);
  const least = Math.ceil((y - radius) / stepBelow - MARGIN) * stepBelow;
  const greatest = Math.floor((y + radius) / stepAbove + MARGIN) * stepAbove;
  lo[i] = least > greatest ? 1 : least - (0.5 - MARGIN) * stepBelow;
  hi[i] = least > greatest ? 0 : greatest + (0.5 - MARGIN) * stepAbove;
}

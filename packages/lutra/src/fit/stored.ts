// Stored (slope, intercept) pairs: multiples of the coefficient formats' scales, within their ranges. The best pair of a run.

import {
  codeRange,
  decode,
  encode,
  type Format,
  type IntegerFormat,
  type Interval,
  roundHalfEven,
} from "../num/index.ts";
import type { Problem } from "../table/index.ts";
import { LeastSquares } from "./least-squares.ts";
import type { Points } from "./points.ts";
import type { Piece } from "./pwl.ts";
import type { RunCost } from "./segmentation.ts";

/** The grids that slopes and intercepts lie on: k * step for the integers k from least to greatest. */
export interface StoredFormats {
  readonly slope: StoredGrid;
  readonly intercept: StoredGrid;
}

export interface StoredGrid {
  readonly step: number;
  readonly least: number;
  readonly greatest: number;
}

function storedGrid(format: IntegerFormat): StoredGrid {
  const { lo, hi } = codeRange(format);
  return { step: format.scale, least: lo - format.zeroPoint, greatest: hi - format.zeroPoint };
}

/** The grids of a problem's coefficients; null where they are real or binary32. */
export function storedFormats({ coefficients }: Problem): StoredFormats | null {
  if (coefficients?.slope.kind !== "integer" || coefficients.intercept.kind !== "integer") return null;
  return { slope: storedGrid(coefficients.slope), intercept: storedGrid(coefficients.intercept) };
}

/** Whether a value is on the grid, exactly. */
export function isStored(format: Format, value: number): boolean {
  if (format.kind === "float") return encode(format, value) === value;
  const { step, least, greatest } = storedGrid(format);
  const k = roundHalfEven(value / step);
  return k >= least && k <= greatest && decode(format, k + format.zeroPoint) === value;
}

/** Slopes further than this many steps from the real optimum are not tried: formats of up to 16 bits are searched wholly. */
export const SLOPE_REACH = 65536;

/**
 * Costs of runs served by one stored pair: the least over all pairs, found exactly. For a slope k the sum of squares is
 * residual + (k - slope)^2 spreadX + mass (b - b(k))^2 with b(k) = meanY - k meanX, so the best intercept is the stored one
 * nearest to b(k), and slopes are tried outward from the real optimum until the first two terms alone exceed the best.
 */
export class StoredLeastSquares implements RunCost {
  private readonly real: LeastSquares;
  private readonly formats: StoredFormats;
  /** Costs this close are the same: spares the search among equally good slopes of very short runs. */
  private readonly tolerance: number;
  /** Whether a search ever ended at SLOPE_REACH, so that costs are those of the best pair looked at. */
  cut = false;
  private bestSlope = 0;
  private bestIntercept = 0;

  constructor(points: Points, formats: StoredFormats, tolerance: number, zero: Interval | null) {
    this.real = new LeastSquares(points, zero);
    this.formats = formats;
    this.tolerance = tolerance;
  }

  begin(first: number, step: 1 | -1 = 1): void {
    this.real.begin(first, step);
  }

  extend(): number {
    return this.real.extend();
  }

  extendTo(end: number): number {
    return this.real.extendTo(end);
  }

  cost(): number {
    const { mass, meanX, meanY, spreadX, slope, residual } = this.real;
    const { slope: slopes } = this.formats;
    const intercepts = this.intercepts();
    if (intercepts.least > intercepts.greatest) return Infinity;
    const centre = Math.min(slopes.greatest, Math.max(slopes.least, Math.round(slope / slopes.step)));
    let best = Infinity;
    // Up from the centre, then down from below it; both ways the first two terms only grow.
    for (let direction = 1; direction >= -1; direction -= 2) {
      const last =
        direction > 0 ? Math.min(slopes.greatest, centre + SLOPE_REACH) : Math.max(slopes.least, centre - SLOPE_REACH);
      for (
        let code = direction > 0 ? centre : centre - 1;
        direction > 0 ? code <= last : code >= last;
        code += direction
      ) {
        const k = code * slopes.step;
        const off = k - slope;
        const floor = residual + off * off * spreadX;
        if (floor + this.tolerance >= best) break;
        const ideal = meanY - k * meanX;
        const nearest = Math.floor(ideal / intercepts.step + 0.5);
        const b = Math.min(intercepts.greatest, Math.max(intercepts.least, nearest)) * intercepts.step;
        const cost = floor + mass * (b - ideal) * (b - ideal);
        if (cost < best) {
          best = cost;
          this.bestSlope = k;
          this.bestIntercept = b;
        }
        this.cut ||= code === last && Math.abs(code - centre) === SLOPE_REACH;
      }
    }
    return best;
  }

  /** The intercepts to choose from: of a run that must keep the answer at 0, those that do. */
  private intercepts(): StoredGrid {
    const { intercept } = this.formats;
    const { pinned, zero } = this.real;
    if (!pinned || zero === null) return intercept;
    const { step, least, greatest } = intercept;
    return {
      step,
      least: Math.max(least, Math.ceil(zero.lo / step)),
      greatest: Math.min(greatest, Math.floor(zero.hi / step)),
    };
  }

  /** The pair of the last cost(). */
  piece(): Piece {
    return { slope: this.bestSlope, x: 0, y: this.bestIntercept };
  }
}

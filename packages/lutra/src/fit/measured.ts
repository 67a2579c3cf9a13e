// The error of a delivered table at the inputs its problem names: plain counting, besides what a method minimised and what a certificate
// proves.

import { parseFn } from "../fn/index.ts";
import { codeRange, decode, encode, type Format, type Interval, isEnumerable } from "../num/index.ts";
import { evaluate, type Problem, type Table } from "../table/index.ts";
import { DEFAULT_FLOOR } from "./norm.ts";
import { codesInside, gridCodes } from "./points.ts";

export interface MeasuredError {
  /** Largest |delivered - exact|. */
  readonly max: number;
  /** Mean of (delivered - exact)^2, every point weighing the same. */
  readonly mse: number;
  readonly meanAbsolute: number;
  /** Largest |delivered - exact| / max(|exact|, relativeFloor). */
  readonly relative: number;
  readonly relativeFloor: number;
  /** Input value of the largest error. */
  readonly at: number;
  readonly points: number;
  /** In words: which inputs. */
  readonly over: string;
}

/** Inputs measured where binary32 is too large to enumerate. */
const SAMPLED_POINTS = 65_536;
/** Range measured on a side where the domain has no end; the certificate covers the rest. */
const FINITE_REACH = 16;

/**
 * Measures a table at its problem's points: the grid, every code of the domain, or evenly spaced inputs where the format has too many.
 * @throws LutraError "bad-argument" for a grid without points
 */
export function measureTable(problem: Problem, table: Table): MeasuredError {
  const { codes, over } = pointsOf(problem);
  const exact = parseFn(problem.spec.fn);
  const floor = problem.floor ?? DEFAULT_FLOOR;
  let [max, at, relative, sum, sumSquares] = [0, Number.NaN, 0, 0, 0];
  for (const code of codes) {
    const x = decode(table.spec.input, code);
    const y = exact.evaluate(x);
    const error = Math.abs(decode(table.spec.output, evaluate(table, code)) - y);
    sum += error;
    sumSquares += error * error;
    relative = Math.max(relative, error / Math.max(Math.abs(y), floor));
    if (error > max || Number.isNaN(at)) [max, at] = [error, x];
  }
  const points = codes.length;
  return {
    max,
    mse: sumSquares / points,
    meanAbsolute: sum / points,
    relative,
    relativeFloor: floor,
    at,
    points,
    over,
  };
}

function pointsOf({ spec, grid }: Problem): { readonly codes: Float64Array; readonly over: string } {
  const { input, domain } = spec;
  if (grid !== undefined) {
    const codes = gridCodes(grid, input);
    return { codes, over: `the ${codes.length} points of the grid` };
  }
  if (isEnumerable(input)) {
    const codes = codesInside(input, domain);
    return { codes, over: `all ${codes.length} codes of the domain` };
  }
  const { lo, hi } = withinReach(input, domain);
  const step = (hi - lo) / (SAMPLED_POINTS - 1);
  const codes = Float64Array.from({ length: SAMPLED_POINTS }, (_, i) => encode(input, lo + step * i));
  return { codes, over: `${SAMPLED_POINTS} evenly spaced inputs from ${lo} to ${hi}` };
}

function withinReach(input: Format, { lo, hi }: Interval): Interval {
  const range = codeRange(input);
  return {
    lo: Math.max(Number.isFinite(lo) ? lo : -FINITE_REACH, decode(input, range.lo)),
    hi: Math.min(Number.isFinite(hi) ? hi : FINITE_REACH, decode(input, range.hi)),
  };
}

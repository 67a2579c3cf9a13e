// The error of a delivered table at the inputs its problem names: plain counting, apart from fit and from certify.

import {
  allCodes,
  codeRange,
  DEFAULT_RELATIVE_FLOOR,
  decode,
  encode,
  evaluate,
  isEnumerable,
  type Problem,
  parseFn,
  type Table,
} from "lutra";

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

export function measureTable(problem: Problem, table: Table): MeasuredError {
  const { codes, over } = pointsOf(problem);
  const exact = parseFn(problem.spec.fn);
  const floor = problem.floor ?? DEFAULT_RELATIVE_FLOOR;
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
    // A last point within 1e-9 of a step of hi is hi itself, which a grid leaves out.
    const count = Math.ceil((grid.hi - grid.lo) / grid.step - 1e-9);
    const codes = Float64Array.from({ length: count }, (_, i) => encode(input, grid.lo + grid.step * i));
    return { codes, over: `the ${count} points of the grid` };
  }
  if (isEnumerable(input)) {
    const codes = allCodes(input).filter(
      (code) => domain.lo <= decode(input, code) && decode(input, code) <= domain.hi,
    );
    return { codes, over: `all ${codes.length} codes of the domain` };
  }
  const range = codeRange(input);
  const lo = Math.max(finiteOr(domain.lo, -FINITE_REACH), decode(input, range.lo));
  const hi = Math.min(finiteOr(domain.hi, FINITE_REACH), decode(input, range.hi));
  const step = (hi - lo) / (SAMPLED_POINTS - 1);
  const codes = Float64Array.from({ length: SAMPLED_POINTS }, (_, i) => encode(input, lo + step * i));
  return { codes, over: `${SAMPLED_POINTS} evenly spaced inputs from ${lo} to ${hi}` };
}

function finiteOr(end: number, otherwise: number): number {
  return Number.isFinite(end) ? end : otherwise;
}

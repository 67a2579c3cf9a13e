// DianNao's interpolation (Chen et al., ASPLOS 2014, on NFU-3): 16 segments, found by comparing the argument with hardwired
// boundaries, each with a slope and an intercept of 16 bits. The paper does not print the boundaries: here they are equally spaced.

import { LutraError, type Work } from "../base/index.ts";
import { exponentOf, type Format, type IntegerFormat, powerOfTwo } from "../num/index.ts";
import type { Problem } from "../table/index.ts";
import { chosenParameters } from "./parameters.ts";
import { betweenBorders, bordersAt, innerSegments, linesBetween } from "./placed.ts";
import { type Piece, pieceAt } from "./pwl.ts";
import { LINES } from "./segment-lines.ts";
import { prepare } from "./task.ts";
import type { FitResult, MethodOptions } from "./types.ts";

/** Its parameters. */
export const THRESHOLD_16: { readonly lines: typeof LINES } = { lines: LINES };

export const THRESHOLD_SEGMENTS = 16;
const COEFFICIENT_BITS = 16;

/**
 * 16 segments over the range, tails that are lines among them. Slopes and intercepts are 16-bit fixed point with as many fraction
 * bits as their largest value leaves, unless formats are asked for.
 * @throws LutraError "infeasible" if fewer than 16 segments are asked for, "unsupported" for integer scales that are no powers of two
 */
export function* threshold16(problem: Problem, options: MethodOptions): Work<FitResult> {
  const { lines } = chosenParameters(options, THRESHOLD_16);
  if ("segments" in problem.size && problem.size.segments < THRESHOLD_SEGMENTS) {
    throw new LutraError("infeasible", `threshold-16 has 16 segments, got ${problem.size.segments}`, {
      note: "ask for 16 segments",
    });
  }
  if (!hasShiftedScales(problem)) {
    throw new LutraError("unsupported", "threshold-16 stores 16-bit fixed-point lines: scales must be powers of two");
  }
  const task = prepare({ ...problem, size: { segments: THRESHOLD_SEGMENTS } });
  const count = innerSegments(task, "threshold-16");
  const { lo, hi } = task.range;
  const borders = bordersAt(
    task,
    Array.from({ length: count - 1 }, (_, k) => lo + ((hi - lo) * (k + 1)) / count),
  );
  const coefficients = problem.coefficients ?? formatsFor(linesBetween(task, borders, lines));
  return betweenBorders({ ...task, problem: { ...task.problem, coefficients } }, borders, lines);
}

function hasShiftedScales({ spec, coefficients }: Problem): boolean {
  const isPowerOfTwo = (format: Format): boolean => {
    return format.kind === "float" || format.scale === powerOfTwo(exponentOf(format.scale));
  };
  return coefficients !== undefined || (isPowerOfTwo(spec.input) && isPowerOfTwo(spec.output));
}

function formatsFor(pieces: readonly Piece[]): NonNullable<Problem["coefficients"]> {
  return {
    slope: wideEnough(pieces.map(({ slope }) => slope)),
    intercept: wideEnough(pieces.map((piece) => pieceAt(piece, 0))),
  };
}

/** The finest 16-bit fixed point that holds all values, and 1 besides: the slope of a tail that is the identity. */
function wideEnough(values: readonly number[]): IntegerFormat {
  const largest = Math.max(1, ...values.map(Math.abs));
  const scale = powerOfTwo(exponentOf(largest) + 2 - COEFFICIENT_BITS);
  return { kind: "integer", signed: true, bits: COEFFICIENT_BITS, scale, zeroPoint: 0 };
}

// Checks a Problem once, at the boundary: what a user can get wrong, with the value in the message.

import { LutraError } from "../base/index.ts";
import { checkFormat, exponentOf, type Format, powerOfTwo, printFormat } from "../num/index.ts";
import type { Line, Norm, Problem, Tail } from "../table/index.ts";
import { checkHistogram } from "./histogram.ts";
import { checkKeep } from "./keep.ts";
import { isStored } from "./stored.ts";

/** Most segments a table may have. */
export const MAX_SEGMENTS = 65536;

/** Most input scales that one table may serve. */
const MAX_SCALES = 32;

const NORMS: readonly Norm[] = ["max", "relative", "ulp", "mse"];

/** @throws LutraError "bad-argument", "bad-format", "bad-data" or "unsupported" */
export function checkProblem(problem: Problem): void {
  checkSize(problem.size);
  checkSpec(problem);
  if (!NORMS.includes(problem.norm)) throw bad(`unknown norm "${problem.norm}"`, `norms: ${NORMS.join(", ")}`);
  if (problem.floor !== undefined && !(problem.floor > 0 && problem.floor < Infinity)) {
    throw bad(`the floor of the relative norm must be positive, got ${problem.floor}`);
  }
  if (problem.grid !== undefined) checkGrid(problem.grid);
  if (problem.histogram !== undefined) checkHistogram(problem.histogram);
  for (const tail of problem.tails) checkTail(tail);
  checkCoefficients(problem);
  checkReductions(problem);
  checkKeep(problem);
  if (problem.scales !== undefined) checkScales(problem, problem.scales);
}

function checkSize(size: Problem["size"]): void {
  if ("maxError" in size) {
    if (!(size.maxError > 0 && size.maxError < Infinity))
      throw bad(`the largest error must be positive, got ${size.maxError}`);
    return;
  }
  const { segments } = size;
  if (!Number.isInteger(segments) || segments < 1) throw bad(`segments must be a positive integer, got ${segments}`);
  if (segments > MAX_SEGMENTS) throw bad(`segments must be at most ${MAX_SEGMENTS}, got ${segments}`);
}

function checkSpec({ spec }: Problem): void {
  checkFormat(spec.input);
  checkFormat(spec.output);
  if (!(spec.domain.lo <= spec.domain.hi)) throw bad(`the domain is empty: [${spec.domain.lo}, ${spec.domain.hi}]`);
  if (spec.input.kind === "integer" && spec.output.kind !== "integer") {
    throw new LutraError("unsupported", "an integer input needs an integer output", {
      note: "use an integer output format, or binary32 for both",
    });
  }
  if (spec.input.kind === "float" && spec.output.kind === "integer") {
    throw new LutraError("unsupported", "a floating-point input needs a floating-point output", {
      note: "a table is all integers or all floats: use an integer input format, or binary32 for both",
    });
  }
}

function checkGrid({ lo, hi, step }: NonNullable<Problem["grid"]>): void {
  if (!Number.isFinite(lo) || !Number.isFinite(hi)) throw bad(`a grid needs finite ends, got ${lo}:${hi}`);
  if (!(step > 0 && step < Infinity)) throw bad(`a grid step must be positive, got ${step}`);
}

function checkTail(tail: Tail): void {
  if (tail === "clamp" || tail === "extend") return;
  if (typeof tail === "object" && Number.isFinite(tail.slope) && Number.isFinite(tail.intercept)) return;
  throw bad(`a tail is "clamp", "extend" or a finite line, got ${JSON.stringify(tail)}`);
}

function checkCoefficients({ coefficients, tails }: Problem): void {
  if (coefficients === undefined) return;
  const { slope, intercept } = coefficients;
  checkFormat(slope);
  checkFormat(intercept);
  if (slope.kind !== intercept.kind) {
    throw new LutraError("unsupported", "coefficient formats must both be fixed point, or both floating point");
  }
  const lines = tails.filter((tail): tail is Line => typeof tail === "object");
  for (const line of lines) {
    if (isStored(slope, line.slope) && isStored(intercept, line.intercept)) continue;
    throw bad(`the tail ${line.slope} x + ${line.intercept} is not a multiple of the coefficient formats' steps`);
  }
}

function checkReductions({ reductions, spec }: Problem): void {
  if (spec.input.kind !== "integer" || reductions.length === 0) return;
  const [first] = reductions;
  const symmetric = reductions.length === 1 && (first?.by === "odd" || first?.by === "even");
  if (!symmetric) {
    throw new LutraError("unsupported", "integer tables have at most one reduction, odd or even", {
      note: `got ${reductions.map(({ by }) => by).join(", ")}`,
    });
  }
  const offset =
    spec.input.zeroPoint !== 0 ||
    (first?.by === "odd" && spec.output.kind === "integer" && spec.output.zeroPoint !== 0);
  if (offset) throw new LutraError("unsupported", `the reduction "${first?.by}" needs zero points of 0`);
}

/** A slope is stored once for all scales, so only powers of two between them leave it as it is. */
function checkScales({ spec, grid, keep, coefficients, size }: Problem, scales: readonly Format[]): void {
  const [first] = scales;
  if (first === undefined || scales.length > MAX_SCALES) {
    throw bad(`a table serves 1 to ${MAX_SCALES} scales, got ${scales.length}`);
  }
  if (printFormat(first) !== printFormat(spec.input)) {
    throw bad(`the input must be the first of the scales, ${printFormat(first)}, got ${printFormat(spec.input)}`);
  }
  scales.forEach((format, i) => {
    checkFormat(format);
    const before = scales[Math.max(0, i - 1)] as Format;
    if (format.kind !== "integer" || before.kind !== "integer" || format.zeroPoint !== 0) {
      throw bad(`scales are integer formats without a zero point, got ${printFormat(format)}`);
    }
    const ratio = before.scale / format.scale;
    if (ratio !== powerOfTwo(exponentOf(ratio)) || (i > 0 && !(ratio > 1))) {
      throw bad(`scales fall by powers of two, got ${format.scale} after ${before.scale}`);
    }
  });
  if (coefficients?.slope.kind !== "integer") {
    throw new LutraError("unsupported", "a table for several scales needs fixed-point coefficient formats", {
      note: "give them, s16.6 for example: what the scales share are the stored coefficients",
    });
  }
  if (grid !== undefined) throw bad("several scales have no common grid: all their codes in the domain count");
  if ((keep ?? []).length > 0) throw new LutraError("unsupported", "a table for several scales keeps no constraints");
  if (!("segments" in size)) {
    throw new LutraError("unsupported", "a table for several scales is asked for by its number of segments");
  }
}

function bad(message: string, note?: string): LutraError {
  return new LutraError("bad-argument", message, note === undefined ? {} : { note });
}

// Checks a Problem once, at the boundary: what a user can get wrong, with the value in the message.

import { LutraError } from "../base/index.ts";
import { checkFormat, type Histogram } from "../num/index.ts";
import type { Line, Norm, Problem, Tail } from "../table/index.ts";
import { checkKeep } from "./keep.ts";
import { isStored } from "./stored.ts";

/** Most segments a table may have. */
export const MAX_SEGMENTS = 65536;

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

function checkHistogram({ edges, counts }: Histogram): void {
  if (edges.length !== counts.length + 1 || counts.length === 0) {
    throw badData(`a histogram of n counts has n + 1 edges, got ${counts.length} and ${edges.length}`);
  }
  edges.forEach((edge, i) => {
    if (!Number.isFinite(edge)) throw badData(`histogram edge ${i} is ${edge}`);
    if (i > 0 && !(edge > (edges[i - 1] as number)))
      throw badData(`histogram edges must increase, edge ${i} is ${edge}`);
  });
  counts.forEach((count, i) => {
    if (!(count >= 0 && count < Infinity)) throw badData(`histogram count ${i} is ${count}`);
  });
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
  if (slope.kind !== intercept.kind || (slope.kind === "float" && slope.name !== "binary32")) {
    throw new LutraError("unsupported", "coefficient formats must both be fixed point, or both binary32");
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

function bad(message: string, note?: string): LutraError {
  return new LutraError("bad-argument", message, note === undefined ? {} : { note });
}

function badData(message: string): LutraError {
  return new LutraError("bad-data", message);
}

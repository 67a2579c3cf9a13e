// What a problem asks its table to keep, brought into the form that searches use: the values lines may have at 0, and the codes
// where segments may begin. Checks here are about the question; whether a table can keep it all is found by the search.

import { LutraError } from "../base/index.ts";
import { type Fn, parseFn } from "../fn/index.ts";
import { codeRange, decode, encode, type Format, type Interval, powerOfTwo } from "../num/index.ts";
import type { Constraint, Problem, Reduction } from "../table/index.ts";
import { outputsRoundingTo, roundsOutput } from "./output-tube.ts";
import { toBreakpoint } from "./pwl.ts";

const NAMES = ["zero", "symmetric", "power-of-two-breakpoints", "continuous", "monotone"] as const;

export type Kept = (typeof NAMES)[number];

export function keeps({ keep }: Problem, name: Kept): boolean {
  return keep?.includes(name) ?? false;
}

/** The breakpoints that are given; null if none are. */
export function givenBreakpoints({ keep }: Problem): readonly number[] | null {
  return keep?.find((constraint) => typeof constraint === "object")?.breakpoints ?? null;
}

/** @throws LutraError "bad-argument" for a constraint that is none, "unsupported" for ones that exclude one another */
export function checkKeep(problem: Problem): void {
  const { keep = [], size } = problem;
  for (const constraint of keep) checkConstraint(constraint);
  if (keep.filter((constraint) => typeof constraint === "object").length > 1) {
    throw new LutraError("bad-argument", "breakpoints are given twice");
  }
  const given = givenBreakpoints(problem);
  if (given !== null && "segments" in size && size.segments !== given.length + 1) {
    throw new LutraError(
      "bad-argument",
      `${given.length} given breakpoints make ${given.length + 1} segments, got ${size.segments}`,
    );
  }
  if (keeps(problem, "continuous") && problem.coefficients?.slope.kind === "integer") {
    throw new LutraError("unsupported", "a continuous table with fixed-point coefficient formats", {
      note: "leave the coefficient formats out: the lines of an integer table then meet exactly",
    });
  }
}

function checkConstraint(constraint: Constraint): void {
  if (typeof constraint === "object" && constraint !== null && Array.isArray(constraint.breakpoints)) {
    checkBreakpoints(constraint.breakpoints);
  } else if (!NAMES.some((name) => name === constraint)) {
    throw new LutraError("bad-argument", `a table cannot keep ${JSON.stringify(constraint)}`, {
      note: `it can keep: ${NAMES.join(", ")}, or given breakpoints`,
    });
  }
}

function checkBreakpoints(breakpoints: readonly number[]): void {
  breakpoints.forEach((p, i) => {
    if (!Number.isFinite(p)) throw new LutraError("bad-argument", `breakpoint ${i} is ${p}`);
    if (i > 0 && !(p > (breakpoints[i - 1] as number))) {
      throw new LutraError("bad-argument", `breakpoints must increase, got ${breakpoints[i - 1]} before ${p}`);
    }
  });
}

/** Reductions behind which answers stay continuous, and monotone: elsewhere they meet again at every octave. */
const SEAMLESS: Readonly<Record<"continuous" | "monotone", readonly Reduction["by"][]>> = {
  continuous: ["odd", "even", "reflect", "complement"],
  monotone: ["odd", "complement"],
};

/**
 * The problem as it is solved: with the reduction that keeps its symmetry; and with the answer at 0 kept where halves that mirror
 * each other's answers (odd, complement) must meet. @throws LutraError as withSymmetry; "unsupported" for reductions with seams
 */
export function normalised(problem: Problem): Problem {
  const solved = withSymmetry(problem);
  const { reductions, keep = [], spec } = solved;
  const seams = (["continuous", "monotone"] as const).filter((name) => keeps(solved, name));
  if (seams.length === 0 || reductions.length === 0) return solved;
  for (const name of seams) checkSeams(name, reductions);
  const mirrored = reductions.some(({ by }) => by === "odd" || by === "complement");
  const meet = mirrored && spec.domain.lo <= 0 && 0 <= spec.domain.hi && !keeps(solved, "zero");
  return meet ? { ...solved, keep: [...keep, "zero"] } : solved;
}

function checkSeams(name: "continuous" | "monotone", reductions: readonly Reduction[]): void {
  if (reductions.length === 1 && reductions.every(({ by }) => SEAMLESS[name].includes(by))) return;
  throw new LutraError(
    "unsupported",
    `a ${name} table behind the reductions ${reductions.map(({ by }) => by).join(", ")}`,
    {
      note: `${name} goes with ${SEAMLESS[name].join(", ")} or no reduction`,
    },
  );
}

/** The problem with the reduction that keeps its symmetry. @throws LutraError if the function or the format has none */
function withSymmetry(problem: Problem): Problem {
  if (!keeps(problem, "symmetric") || problem.reductions.some(isSymmetry)) return problem;
  const { fn: text, input } = problem.spec;
  if (problem.reductions.length > 0) {
    const names = problem.reductions.map(({ by }) => by).join(", ");
    throw new LutraError("unsupported", `a symmetric table behind the reductions ${names}`);
  }
  const fn = parseFn(text);
  const identity = fn.identities.find(isSymmetry);
  if (identity === undefined) {
    throw new LutraError("infeasible", `${fn.text} is not symmetric in |x|`, { note: "leave out symmetric" });
  }
  if (input.kind === "integer" && identity.by !== "odd" && identity.by !== "even") {
    throw new LutraError(
      "unsupported",
      `${fn.text} is symmetric by "${identity.by}", which integer tables do not have`,
      {
        note: "integer tables can be odd or even; use binary32, or leave out symmetric",
      },
    );
  }
  return { ...problem, reductions: [{ by: identity.by }] };
}

function isSymmetry<T extends { readonly by: string }>(
  reduction: T,
): reduction is T & Extract<Reduction, { readonly by: "odd" | "even" | "reflect" | "complement" }> {
  return ["odd", "even", "reflect", "complement"].includes(reduction.by);
}

/**
 * The values that a line may have at the reduced argument 0, so that the table answers f(0): one real number for binary32, all that
 * round to it for coarser outputs. Null if the problem does not ask. @throws LutraError "infeasible" if f(0) cannot be delivered
 */
export function valuesAtZero(problem: Problem, outer: Fn, fn: Fn, domain: Interval): Interval | null {
  if (!keeps(problem, "zero")) return null;
  const { output } = problem.spec;
  if (!(domain.lo <= 0 && 0 <= domain.hi)) {
    throw new LutraError("infeasible", `f(0) cannot be kept: 0 is not in the domain [${domain.lo}, ${domain.hi}]`);
  }
  const exact = outer.evaluate(0);
  if (!Number.isFinite(exact) || decode(output, encode(output, exact)) !== exact) {
    throw new LutraError("infeasible", `${outer.text} is ${exact} at 0, which the output format does not have`, {
      note: "leave out zero, or choose an output format that has this value",
    });
  }
  const y = fn.evaluate(0);
  return roundsOutput(output) ? outputsRoundingTo(output, y) : { lo: y, hi: y };
}

/**
 * Codes at which a segment may begin, ascending, besides the first segment; null where every code may.
 * @throws LutraError if a given breakpoint has no code of its own, or is not a power of two where that is asked for
 */
export function breakpointCodes(problem: Problem): readonly number[] | null {
  const { input } = problem.spec;
  const given = givenBreakpoints(problem);
  const powers = keeps(problem, "power-of-two-breakpoints") ? powersOfTwo(input) : null;
  if (given === null) return powers;
  return given.map((p, i) => {
    const code = toBreakpoint(p, input);
    if (code === null || !Number.isFinite(code) || (i > 0 && code === toBreakpoint(given[i - 1] as number, input))) {
      throw new LutraError("infeasible", `the breakpoint ${p} has no code of its own in the input format`);
    }
    if (powers !== null && !powers.includes(code)) {
      throw new LutraError("infeasible", `the breakpoint ${p} is not 0 or plus or minus a power of two`);
    }
    return code;
  });
}

/** 0 and every power of two of either sign that a format has, as codes: for integers counted from the zero point. */
function powersOfTwo(input: Format): readonly number[] {
  const { lo, hi } = codeRange(input);
  const zero = input.kind === "integer" ? input.zeroPoint : 0;
  const [least, greatest] = input.kind === "integer" ? [0, input.bits] : [LEAST_EXPONENT, GREATEST_EXPONENT];
  const powers = Array.from({ length: greatest - least + 1 }, (_, k) => powerOfTwo(least + k));
  const codes = [...powers.map((p) => zero - p).reverse(), zero, ...powers.map((p) => zero + p)];
  return codes.filter((code) => lo <= code && code <= hi);
}

/** Of binary32, subnormal powers included; bfloat16 and binary16 have fewer, and compare with all of them the same way. */
const LEAST_EXPONENT = -149;
const GREATEST_EXPONENT = 127;

// From what is asked to a Problem. What is left out is chosen by what the function says about itself: where it is defined, which lines
// it approaches, which identities it has.

import { LutraError } from "./base/index.ts";
import { type Fn, parseFn } from "./fn/index.ts";
import { defaultReductions, planProblem, toReduction } from "./model/index.ts";
import { BINARY32, codeRange, decode, type Format, type Interval, iv, MIN_NORMAL_BINARY32 } from "./num/index.ts";
import type { Constraint, Norm, Problem, Reduction, Spec, Tail } from "./table/index.ts";

/** A question about one function, as a person asks it. */
export interface FitQuestion {
  /** A function's name, or an expression in x. */
  readonly fn: string;
  /** binary32 if absent, and on a grid. */
  readonly input?: Format | undefined;
  /** That of the input if absent. */
  readonly output?: Format | undefined;
  /** The inputs lo, lo + step, ... below hi, instead of a format's. */
  readonly grid?: Problem["grid"];
  /** The inputs that count, if not all of the format. */
  readonly range?: readonly [number, number] | undefined;
  readonly segments?: number | undefined;
  /** Instead of a number of segments. */
  readonly maxError?: number | undefined;
  readonly norm: Norm;
  /** Of both slopes and intercepts. */
  readonly coefficients?: Format | undefined;
  /** Beyond the range: the end's value, the last line, or the function's asymptotes. By the range if absent. */
  readonly tails?: "clamp" | "extend" | "auto" | undefined;
  /** "auto", "none" or names of identities separated by commas; chosen by the formats if absent. */
  readonly reduce?: string | undefined;
  /** Names of what the table must keep. */
  readonly keep?: readonly string[] | undefined;
  /** The table has exactly these, and one segment more. */
  readonly breakpoints?: readonly number[] | undefined;
}

/**
 * The Problem that a question comes to, for `solve`.
 *
 *     problemOf({ fn: "gelu", segments: 16, norm: "max" }).reductions      // [{ by: "reflect" }]
 *
 * @throws LutraError "bad-expression" for the function; "bad-argument" for a range that is empty, or that contradicts function or grid;
 * "infeasible" if no table of lines follows the function everywhere and no range is given
 */
export function problemOf(question: FitQuestion): Problem {
  const { grid, maxError, coefficients, norm } = question;
  const fn = parseFn(question.fn);
  const input = grid === undefined ? (question.input ?? BINARY32) : BINARY32;
  const output = question.output ?? input;
  const planned = plannedFor(fn, input, output, question);
  const domain = planned?.spec.domain ?? domainOf(fn, input, question);
  const spec = { fn: fn.text, domain, input, output };
  const reductions = planned?.reductions ?? reductionsOf(fn, spec, reduceOf(question, input));
  return {
    spec,
    size: maxError === undefined ? { segments: segmentsOf(question) } : { maxError },
    norm,
    ...(grid === undefined ? {} : { grid }),
    ...(coefficients === undefined ? {} : { coefficients: { slope: coefficients, intercept: coefficients } }),
    tails: planned?.tails ?? tailsOf(fn, domain, reductions, question),
    reductions,
    ...keepOf(question),
  };
}

/**
 * Reductions are a float table's way to answer everywhere; a grid and integer codes are a finite question as they stand, and
 * breakpoints are given where the inputs are.
 */
function reduceOf({ reduce, grid, breakpoints }: FitQuestion, input: Format): string {
  return reduce ?? (grid === undefined && breakpoints === undefined && input.kind === "float" ? "auto" : "none");
}

/**
 * Where nothing narrows a float question down, the plan, as `lutra compile` makes it; null where something does.
 * @throws LutraError "infeasible" if the function has neither a reduction nor an asymptote to answer everywhere
 */
function plannedFor(fn: Fn, input: Format, output: Format, question: FitQuestion): Problem | null {
  const { grid, range, tails, norm } = question;
  const isNarrowed = grid !== undefined || range !== undefined || tails !== undefined;
  if (input.kind !== "float" || isNarrowed || reduceOf(question, input) !== "auto") return null;
  const planned = planProblem({ fn: fn.text, domain: fn.domain, input, output }, { segments: 1, norm });
  const { lo, hi } = planned.spec.domain;
  const isCut = Number.isFinite(lo) && Number.isFinite(hi) && !Number.isFinite(fn.domain.hi - fn.domain.lo);
  if (!isCut || planned.reductions.length > 1) return planned;
  throw new LutraError("infeasible", `no table of lines follows ${fn.text} to infinity`, {
    note: "give the range that counts, as with --range A,B",
  });
}

/** Given breakpoints say how many segments there are. */
function segmentsOf({ segments, breakpoints }: FitQuestion): number {
  return segments ?? (breakpoints === undefined ? 0 : breakpoints.length + 1);
}

function keepOf({ keep = [], breakpoints }: FitQuestion): Pick<Problem, "keep"> {
  // Names are checked by `solve`, which lists those it knows.
  const named = keep as readonly Constraint[];
  if (breakpoints === undefined) return named.length === 0 ? {} : { keep: named };
  return { keep: [...named, { breakpoints }] };
}

/** What was asked for: the range, the grid's ends, or all that the format holds, where the function is defined. */
function domainOf(fn: Fn, input: Format, { range, grid }: FitQuestion): Interval {
  const asked = range ?? (grid === undefined ? formatRange(input) : [grid.lo, grid.hi]);
  const [lo, hi] = asked;
  if (range !== undefined && grid !== undefined && (grid.lo < lo || grid.hi > hi)) {
    throw new LutraError(
      "bad-argument",
      `the grid reaches from ${grid.lo} to ${grid.hi}, beyond the range ${lo},${hi}`,
      {
        note: "the range of a grid says where the table is certified: it must hold the grid",
      },
    );
  }
  if (!(lo <= hi)) throw new LutraError("bad-argument", `a range needs its lower end first, got ${lo},${hi}`);
  const defined = iv.intersect({ lo, hi }, fn.domain);
  if (defined !== null) return range === undefined && grid === undefined ? whereFinite(fn, input, defined) : defined;
  throw new LutraError("bad-argument", `${fn.text} is not defined anywhere in [${lo}, ${hi}]`, {
    note: `it is defined on [${fn.domain.lo}, ${fn.domain.hi}]`,
  });
}

function formatRange(input: Format): readonly [number, number] {
  if (input.kind === "float") return [-Infinity, Infinity];
  const { lo, hi } = codeRange(input);
  return [decode(input, lo), decode(input, hi)];
}

/** Without the format's end code if the function has a pole there (1/x and log at 0); binary32 then begins at its least normal number. */
function whereFinite(fn: Fn, input: Format, { lo, hi }: Interval): Interval {
  const isPole = (x: number): boolean => Number.isFinite(x) && !Number.isFinite(fn.evaluate(x));
  const step = input.kind === "float" ? MIN_NORMAL_BINARY32 : input.scale;
  const first = isPole(lo) ? lo + step : lo;
  const last = isPole(hi) ? hi - step : hi;
  return first <= last ? { lo: first, hi: last } : { lo, hi };
}

function reductionsOf(fn: Fn, spec: Spec, asked: string): readonly Reduction[] {
  if (asked === "none") return [];
  if (asked === "auto") return defaultReductions(spec);
  return asked.split(",").map((name) => {
    const identity = fn.identities.find(({ by }) => by === name.trim());
    if (identity !== undefined) return toReduction(identity);
    const known = fn.identities.map(({ by }) => by).join(", ");
    throw new LutraError("bad-argument", `${fn.text} has no identity "${name.trim()}" to reduce its range by`, {
      note: known === "" ? "it has none: leave --reduce out" : `it has: ${known}`,
    });
  });
}

/**
 * A grid imposes nothing beyond its ends. With formats, a bounded side is clamped; an unbounded one follows the function's own
 * asymptote, or its last line if there is none.
 */
function tailsOf(
  fn: Fn,
  domain: Interval,
  reductions: readonly Reduction[],
  { grid, tails }: FitQuestion,
): readonly [Tail, Tail] {
  if (tails === "clamp" || tails === "extend") return [tails, tails];
  if (grid !== undefined && tails === undefined) return ["extend", "extend"];
  if (reductions.some(({ by }) => by === "octave" || by === "logarithm" || by === "exponential"))
    return ["clamp", "clamp"];
  const side = (end: number, asymptote: Tail | null): Tail => {
    if (Number.isFinite(end) && tails === undefined) return "clamp";
    return asymptote ?? (Number.isFinite(end) ? "clamp" : "extend");
  };
  return [side(domain.lo, fn.asymptotes[0]), side(domain.hi, fn.asymptotes[1])];
}

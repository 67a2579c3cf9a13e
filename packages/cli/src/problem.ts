// From the options of `lutra fit` to a Problem. What is left out is chosen by what the function says about itself: where it is
// defined, which lines it approaches, which identities it has.

import {
  BINARY32,
  type Constraint,
  codeRange,
  decode,
  defaultReductions,
  type Fn,
  type Format,
  type Histogram,
  type Interval,
  iv,
  LutraError,
  MIN_NORMAL_BINARY32,
  massBetween,
  type Norm,
  type Problem,
  parseFn,
  parseFormat,
  planProblem,
  type Reduction,
  type Spec,
  type Tail,
  toReduction,
} from "lutra";
import { readJson } from "./files.ts";
import type { Grid } from "./options.ts";

export interface ProblemOptions {
  readonly fn: string;
  readonly in?: string;
  readonly out?: string;
  readonly grid?: Grid;
  readonly range?: readonly [number, number];
  readonly segments?: number;
  readonly maxError?: number;
  readonly norm: Norm;
  readonly coefficients?: string;
  readonly histogram?: string;
  readonly tails?: "clamp" | "extend" | "auto";
  /** "auto", "none" or names separated by commas; chosen by the formats if absent. */
  readonly reduce?: string;
  /** Names of what the table must keep; the library knows which there are. */
  readonly keep?: readonly string[];
  readonly breakpoints?: readonly number[];
}

/** @throws LutraError for an unknown function or format, an empty range, a histogram that is none */
export async function problemFrom(options: ProblemOptions): Promise<Problem> {
  const fn = parseFn(options.fn);
  const input = options.grid === undefined ? parseFormat(options.in ?? "binary32") : BINARY32;
  const output = options.out === undefined ? input : parseFormat(options.out);
  const planned = plannedFor(fn, input, output, options);
  const domain = planned?.spec.domain ?? domainOf(fn, input, options);
  const spec = { fn: fn.text, domain, input, output };
  const reductions = planned?.reductions ?? reductionsOf(fn, spec, reduceOf(options, input));
  const coefficients = options.coefficients === undefined ? undefined : parseFormat(options.coefficients);
  return {
    spec,
    size: options.maxError === undefined ? { segments: segmentsOf(options) } : { maxError: options.maxError },
    norm: options.norm,
    ...(options.grid === undefined ? {} : { grid: options.grid }),
    ...(options.histogram === undefined ? {} : { histogram: await readHistogram(options.histogram, domain) }),
    ...(coefficients === undefined ? {} : { coefficients: { slope: coefficients, intercept: coefficients } }),
    tails: planned?.tails ?? tailsOf(fn, domain, reductions, options),
    reductions,
    ...keepOf(options),
  };
}

/**
 * Reductions are a float table's way to answer everywhere; a grid and integer codes are a finite question as they stand, and
 * breakpoints are given where the inputs are.
 */
function reduceOf({ reduce, grid, breakpoints }: ProblemOptions, input: Format): string {
  return reduce ?? (grid === undefined && breakpoints === undefined && input.kind === "float" ? "auto" : "none");
}

/**
 * Where nothing narrows a float question down, the library's own plan, as `lutra compile` makes it; null where something does.
 * @throws LutraError "infeasible" if the function has neither a reduction nor an asymptote to answer everywhere
 */
function plannedFor(fn: Fn, input: Format, output: Format, options: ProblemOptions): Problem | null {
  const { grid, range, tails, norm } = options;
  const isNarrowed = grid !== undefined || range !== undefined || tails !== undefined;
  if (input.kind !== "float" || isNarrowed || reduceOf(options, input) !== "auto") return null;
  const planned = planProblem({ fn: fn.text, domain: fn.domain, input, output }, { segments: 1, norm });
  const { lo, hi } = planned.spec.domain;
  const isCut = Number.isFinite(lo) && Number.isFinite(hi) && !Number.isFinite(fn.domain.hi - fn.domain.lo);
  if (!isCut || planned.reductions.length > 1) return planned;
  throw new LutraError("infeasible", `no table of lines follows ${fn.text} to infinity`, {
    note: "give the range that counts: --range A,B",
  });
}

/** Given breakpoints say how many segments there are. */
function segmentsOf({ segments, breakpoints }: ProblemOptions): number {
  return segments ?? (breakpoints === undefined ? 0 : breakpoints.length + 1);
}

function keepOf({ keep = [], breakpoints }: ProblemOptions): Pick<Problem, "keep"> {
  // Names are checked by the library, which lists those it knows.
  const named = keep as readonly Constraint[];
  if (breakpoints === undefined) return named.length === 0 ? {} : { keep: named };
  return { keep: [...named, { breakpoints }] };
}

/** What was asked for: the range, the grid's ends, or all that the format holds, where the function is defined. */
function domainOf(fn: Fn, input: Format, { range, grid }: ProblemOptions): Interval {
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
  { grid, tails }: ProblemOptions,
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

/** @throws LutraError "bad-data" with the place of the first fault */
async function readHistogram(path: string, { lo, hi }: Interval): Promise<Histogram> {
  const content = await readJson(path);
  const { edges, counts } = content !== null && typeof content === "object" ? (content as Record<string, unknown>) : {};
  if (!isNumbers(edges) || !isNumbers(counts) || edges.length !== counts.length + 1 || counts.length === 0) {
    throw new LutraError("bad-data", 'a histogram is {"edges": [n + 1 numbers], "counts": [n numbers]}, n at least 1', {
      where: path,
    });
  }
  const edge = edges.findIndex((x, i) => !Number.isFinite(x) || (i > 0 && !((edges[i - 1] as number) < x)));
  if (edge >= 0) {
    throw new LutraError("bad-data", `edges must be finite and strictly increasing, got ${edges[edge]}`, {
      where: `${path}: edges[${edge}]`,
    });
  }
  const count = counts.findIndex((x) => !(x >= 0 && x < Infinity));
  if (count >= 0) {
    throw new LutraError("bad-data", `counts must be finite and not negative, got ${counts[count]}`, {
      where: `${path}: counts[${count}]`,
    });
  }
  if (massBetween({ edges, counts }, lo, hi) > 0) return { edges, counts };
  throw new LutraError("bad-data", `the histogram counts nothing between ${lo} and ${hi}, where the table is fitted`, {
    where: path,
  });
}

function isNumbers(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((item) => typeof item === "number");
}

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
  type Norm,
  type Problem,
  parseFn,
  parseFormat,
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
  /** "auto", "none" or names separated by commas. */
  readonly reduce: string;
  /** Names of what the table must keep; the library knows which there are. */
  readonly keep?: readonly string[];
  readonly breakpoints?: readonly number[];
}

/** @throws LutraError for an unknown function or format, an empty range, a histogram that is none */
export async function problemFrom(options: ProblemOptions): Promise<Problem> {
  const fn = parseFn(options.fn);
  const input = options.grid === undefined ? parseFormat(options.in ?? "binary32") : BINARY32;
  const output = options.out === undefined ? input : parseFormat(options.out);
  const domain = domainOf(fn, input, options);
  const spec = { fn: fn.text, domain, input, output };
  const reductions = reductionsOf(fn, spec, options.reduce);
  const coefficients = options.coefficients === undefined ? undefined : parseFormat(options.coefficients);
  return {
    spec,
    size: options.maxError === undefined ? { segments: segmentsOf(options) } : { maxError: options.maxError },
    norm: options.norm,
    ...(options.grid === undefined ? {} : { grid: options.grid }),
    ...(options.histogram === undefined ? {} : { histogram: await readHistogram(options.histogram) }),
    ...(coefficients === undefined ? {} : { coefficients: { slope: coefficients, intercept: coefficients } }),
    tails: tailsOf(fn, domain, reductions, options),
    reductions,
    ...keepOf(options),
  };
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
async function readHistogram(path: string): Promise<Histogram> {
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
  return { edges, counts };
}

function isNumbers(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((item) => typeof item === "number");
}

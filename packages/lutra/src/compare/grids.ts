// The grids that papers measure on, each as the Problem it asks: range, points, storage and tails.

import { LutraError } from "../base/index.ts";
import { parseFn } from "../fn/index.ts";
import { BINARY32, type Format, type Interval, integerFormat, parseFormat } from "../num/index.ts";
import type { Problem } from "../table/index.ts";
import type { Question } from "./types.ts";

export interface Grid {
  readonly name: string;
  /** In words, for a heading. */
  readonly says: string;
  /** Where each function is measured; others need a range of their own. */
  readonly ranges: Readonly<Record<string, Interval>>;
}

const between = (lo: number, hi: number): Interval => ({ lo, hi });

/** GQA-LUT (Dong et al. 2024), as its public code has them; SiLU like GELU. */
const GQA_RANGES: Grid["ranges"] = {
  gelu: between(-4, 4),
  "hard-swish": between(-4, 4),
  silu: between(-4, 4),
  exp: between(-8, 0),
  reciprocal: between(0.5, 4),
  rsqrt: between(0.25, 4),
};

export const GRIDS: Readonly<Record<string, Grid>> = {
  gqa: {
    name: "gqa",
    says: "GQA-LUT's own: steps of 0.01, slopes and intercepts in steps of 2^-6",
    ranges: GQA_RANGES,
  },
  int8: {
    name: "int8",
    says: "every int8 code inside GQA-LUT's range at scales 2^-k, slopes and intercepts in steps of 2^-6; errors averaged over the scales",
    ranges: GQA_RANGES,
  },
  "nn-lut": {
    name: "nn-lut",
    says: "NN-LUT's training ranges at 100,000 points, lines in binary32",
    ranges: {
      gelu: between(-5, 5),
      exp: between(-256, 0),
      reciprocal: between(1, 1024),
      rsqrt: between(0.1, 1024),
    },
  },
  huang: {
    name: "huang",
    says: "the ranges of Huang et al. at 65,536 points, lines in binary32",
    ranges: {
      exp: between(-16, 0),
      tanh: between(-4, 4),
      sigmoid: between(-8, 8),
      gelu: between(-5, 3),
    },
  },
};

const GQA_STEP = 0.01;
/** GQA-LUT's public code keeps 6 fraction bits; the width is wide enough for every slope and intercept. */
const GQA_STORAGE = "s16.6";
const GQA_FRACTION_BITS = 6;
const NN_LUT_POINTS = 100_000;
const HUANG_POINTS = 65_536;
/** GQA-LUT's scales 2^0 to 2^-6; fewer where the range would keep too few codes. */
const GQA_SCALES: readonly number[] = [0, 1, 2, 3, 4, 5, 6];
const FEWER_SCALES: Readonly<Record<string, readonly number[]>> = { reciprocal: [5], rsqrt: [0, 1, 2, 3, 4, 5] };

/**
 * What a grid asks about a function.
 * @param range instead of the grid's own
 * @param scales k of the input scales 2^-k, for int8
 * @throws LutraError "bad-argument" for an unknown grid, a function that has no range there and is given none, or scales where there are
 * none; whatever parseFn throws
 */
export function questionOf(
  fn: string,
  grid: string,
  segments: number,
  { range, scales }: { readonly range?: Interval; readonly scales?: readonly number[] } = {},
): Question {
  const known = Object.hasOwn(GRIDS, grid) ? GRIDS[grid] : undefined;
  if (known === undefined) {
    throw new LutraError("bad-argument", `unknown grid "${grid}"`, {
      note: `known grids: ${Object.keys(GRIDS).join(", ")}`,
    });
  }
  const { text } = parseFn(fn);
  const domain = range ?? (Object.hasOwn(known.ranges, text) ? known.ranges[text] : undefined);
  if (domain === undefined) {
    throw new LutraError("bad-argument", `the grid "${grid}" has no range for ${fn}`, {
      note: `give one, or use one of ${Object.keys(known.ranges).join(", ")}`,
    });
  }
  if (grid === "int8") {
    const exponents = scales ?? scalesOf(text);
    checkScales(exponents);
    const problems = exponents.map((k) => int8Problem(fn, domain, k, segments));
    return { fn, grid, segments, problems, shared: exponents.length > 1 ? sharedProblem(problems, domain) : null };
  }
  if (scales !== undefined) throw new LutraError("bad-argument", `the grid "${grid}" has no scales: only int8 has`);
  return { fn, grid, segments, problems: [floatProblem(fn, grid, domain, segments)], shared: null };
}

const MOST_OCTAVES = 64;

function checkScales(exponents: readonly number[]): void {
  const bad = exponents.find((k) => !Number.isInteger(k) || Math.abs(k) > MOST_OCTAVES);
  if (bad === undefined && exponents.length > 0) return;
  throw new LutraError(
    "bad-argument",
    `scales are 2^-k for whole k from -${MOST_OCTAVES} to ${MOST_OCTAVES}, got ${bad}`,
  );
}

function scalesOf(fn: string): readonly number[] {
  return (Object.hasOwn(FEWER_SCALES, fn) ? FEWER_SCALES[fn] : undefined) ?? GQA_SCALES;
}

function floatProblem(fn: string, grid: string, domain: Interval, segments: number): Problem {
  const points = grid === "huang" ? HUANG_POINTS : NN_LUT_POINTS;
  const step = grid === "gqa" ? GQA_STEP : (domain.hi - domain.lo) / points;
  const storage = parseFormat(GQA_STORAGE);
  return {
    spec: { fn, domain, input: BINARY32, output: BINARY32 },
    size: { segments },
    norm: "mse",
    grid: { ...domain, step },
    ...(grid === "gqa" ? { coefficients: { slope: storage, intercept: storage } } : {}),
    tails: ["extend", "extend"],
    reductions: [],
  };
}

/** The codes of an int8 input with scale 2^-k inside the domain, as a grid: what is rounded is slope and intercept, nothing else. */
function int8Problem(fn: string, domain: Interval, k: number, segments: number): Problem {
  const step = 2 ** -k;
  const first = Math.max(-128, Math.ceil(domain.lo / step));
  const last = Math.min(127, Math.floor(domain.hi / step));
  if (last < first) {
    throw new LutraError("bad-argument", `no int8 code of scale ${step} lies in [${domain.lo}, ${domain.hi}]`);
  }
  const storage = parseFormat(GQA_STORAGE);
  return {
    spec: { fn, domain: between(first * step, last * step), input: BINARY32, output: BINARY32 },
    size: { segments },
    norm: "mse",
    grid: { lo: first * step, hi: (last + 1) * step, step },
    coefficients: { slope: storage, intercept: storage },
    tails: ["extend", "extend"],
    reductions: [],
  };
}

/** The same codes at all scales for one set of lines. The outputs are fine enough that none is rounded. */
function sharedProblem(problems: readonly Problem[], domain: Interval): Problem {
  const steps = problems.map(({ grid }) => grid?.step ?? 1);
  const { spec, grid: _, ...rest } = problems[0] as Problem;
  const scales = steps.map((step) => integerFormat(true, 8, step));
  const output = integerFormat(true, 32, Math.min(...steps) * 2 ** -GQA_FRACTION_BITS);
  return { ...rest, spec: { ...spec, domain, input: scales[0] as Format, output }, scales };
}

/** Whether a problem's points are int8 codes of some scale: only then can it be asked in integers. */
export function isOnCodes({ grid }: Problem): boolean {
  if (grid === undefined) return false;
  const [first, last] = [grid.lo / grid.step, grid.hi / grid.step - 1];
  return Number.isInteger(first) && Number.isInteger(last) && -128 <= first && last <= 127;
}

/** The same question in integers, for methods that have no other form: int8 codes in, answers in the steps that slope times code has. */
export function inIntegers({ spec, grid, ...rest }: Problem): Problem {
  if (grid === undefined) return { spec, ...rest };
  const output = integerFormat(true, 32, grid.step * 2 ** -GQA_FRACTION_BITS);
  return { ...rest, spec: { ...spec, input: integerFormat(true, 8, grid.step), output } };
}
